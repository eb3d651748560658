// Owns random identifiers and the words of generated names.

import { randomBytes, randomInt } from 'node:crypto';

/** 64 random lower-case hex digits. */
export function randomId(): string {
  return randomBytes(32).toString('hex');
}

/** The first 12 digits, as people see ids. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

const MOODS =
  'able agile amber ample apt bold brave breezy bright brisk calm candid cheery clear clever cosmic cozy crisp curious deft eager earnest easy epic fair fancy fast fine fond free fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively loyal lucid lucky mellow merry mighty modest neat nimble noble patient placid plucky polite proud quick quiet rapid ready serene sharp silent smart snug solid spry steady sunny swift tidy tranquil trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  );
const THINGS =
  'anchor anvil arch beacon beam bell bolt bridge brook buoy cable canal capstan cargo castle chain chisel compass copper cradle crane crate crest davit delta derrick dock drift drum engine fender ferry fjord flint forge gable gantry girder granite gull gust harbor hawser helm hoist hull island jetty keel kite ladder lantern ledge lever lighthouse lock mast meadow mill mooring oak orbit osprey otter pallet pier pilot pine plank portal prism pulley quay raft rail ridge rigging river rivet rope rudder sail sextant shackle sluice spar spindle sprocket tackle tide tiller timber trestle tug valley vessel wharf winch windlass yard'.split(
    ' ',
  );

/** A name such as `bold_hoist`; `attempt` > 0 appends a digit, for when the plain one is taken. */
export function randomName(attempt = 0): string {
  const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? 'gantry';
  return `${pick(MOODS)}_${pick(THINGS)}${attempt > 0 ? randomInt(10 * attempt) : ''}`;
}
