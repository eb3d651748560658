// Owns the failures for unknown commands: one of docker's that is missing here, or a typing error.
import { DOCKER_COMMANDS, DOCKER_GROUPS, meanwhile } from './docker-commands.table.ts';
import { CommandFailure } from './failure.ts';
import { PROGRAM } from './grammar/usage.ts';
import { COMMANDS, type CommandGroup, GROUPS } from './registry.ts';
import { closest } from './suggest.ts';

/** Docker's exit code for an unknown command; one that is missing has the same. */
const EXIT_CODE = 1;

/** The failure for words that begin no command and no group of ours. */
export function unknownCommand(words: readonly string[]): CommandFailure {
  const [first = '', second] = words;
  const isGroup = DOCKER_GROUPS.has(first);
  const path = isGroup && second !== undefined && !second.startsWith('-') ? `${first} ${second}` : first;
  if (isGroup || DOCKER_COMMANDS.includes(first)) return notThereYet(isGroup ? path : first);
  const pointer = `Run '${PROGRAM} --help' for more information`;
  return new CommandFailure(
    EXIT_CODE,
    `${PROGRAM}: unknown command: ${PROGRAM} ${first}\n\n${pointer}`,
    meant(closest(first, topWords())),
  );
}

/** The failure for a word after a group of ours that is none of its commands. */
export function unknownInGroup(group: CommandGroup, word: string): CommandFailure {
  const path = `${group.path} ${word}`;
  if (DOCKER_COMMANDS.includes(path)) return notThereYet(path);
  const usage = `Usage:  ${PROGRAM} ${group.usage}`;
  const pointer = `Run '${PROGRAM} ${group.path} --help' for more information`;
  const names = COMMANDS.flatMap((command) => [command.path, ...command.aliases])
    .filter((name) => name.startsWith(`${group.path} `))
    .map((name) => name.slice(group.path.length + 1));
  const guess = closest(word, names);
  return new CommandFailure(
    EXIT_CODE,
    `${PROGRAM}: unknown command: ${PROGRAM} ${path}\n\n${usage}\n\n${pointer}`,
    meant(guess === undefined ? undefined : `${group.path} ${guess}`),
  );
}

/** The failure for words that help was asked about. */
export function unknownTopic(words: readonly string[]): CommandFailure {
  const path = words.join(' ');
  if (DOCKER_COMMANDS.includes(path) || (words.length === 1 && DOCKER_GROUPS.has(path))) return notThereYet(path);
  const topic = GROUPS.some((group) => group.path === words[0]) ? words.slice(1).join(' ') : path;
  return new CommandFailure(EXIT_CODE, `unknown help topic: ${topic}`);
}

function notThereYet(path: string): CommandFailure {
  return new CommandFailure(EXIT_CODE, `${PROGRAM}: "${PROGRAM} ${path}" is not there yet`, meanwhile(path));
}

function topWords(): Set<string> {
  const names = COMMANDS.flatMap((command) => [command.path, ...command.aliases]);
  return new Set([...names.filter((name) => !name.includes(' ')), ...GROUPS.map((group) => group.path)]);
}

const meant = (guess: string | undefined): string | undefined =>
  guess === undefined ? undefined : `did you mean "${PROGRAM} ${guess}"?`;
