// Owns what a real Docker Engine answered to each case: golden/<area>.json, a list of lines a case. With GANTRY_ORACLE set to an
// engine's address (`unix://…`) the cases are played there first and the files written anew.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { busybox } from '../fixtures/busybox.ts';
import { must, which } from '../support/commands.ts';
import { AREAS } from './cases/index.ts';
import { type Line, play } from './play.ts';

export type Golden = Readonly<Record<string, readonly Line[]>>;

export const IMAGE = 'gtbox:latest';
const fileOf = (area: string) => new URL(`golden/${area}.json`, import.meta.url);

/** The golden answers of an area; {} where none were recorded. */
export function golden(area: string): Golden {
  return existsSync(fileOf(area)) ? (JSON.parse(readFileSync(fileOf(area), 'utf8')) as Golden) : {};
}

/** Plays every case on a real engine and writes its answers. */
export async function record(host: string, only: readonly string[] = Object.keys(AREAS)): Promise<void> {
  const program = which('docker');
  if (program === undefined) throw new Error('no docker on PATH to record with');
  await must(program, ['load', '-i', (await busybox(IMAGE)).archive], { env: { DOCKER_HOST: host } });
  for (const area of only) {
    const answers: Record<string, Line[]> = {};
    for (const one of AREAS[area] ?? []) answers[one.name] = await play({ program, host }, one);
    writeFileSync(fileOf(area), `${JSON.stringify(answers, null, 1)}\n`);
  }
}

if (import.meta.main)
  await record(process.env.GANTRY_ORACLE ?? '', process.argv.length > 2 ? process.argv.slice(2) : undefined);
