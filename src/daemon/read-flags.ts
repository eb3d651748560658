// Owns the option values of a command line, with dockerd's words for mistakes. Pure.

import { commandLineParts } from '../lib/command-line.ts';
import { messageOf } from '../lib/errors.ts';
import { KINDS } from './option-kinds.ts';
import { OPTIONS, type Option } from './options.table.ts';

/** The value of each flag that is given. @throws Error in dockerd's words */
export function readFlags(argv: readonly string[]): Map<Option, unknown> {
  const values = new Map<Option, unknown>();
  const parts = commandLineParts(argv, {
    long: (name) => OPTIONS.find(({ flag }) => flag === name),
    short: (letter) => OPTIONS.find(({ short }) => short === letter),
    takesValue: ({ kind }) => KINDS[kind].word !== '',
    interspersed: true,
  });
  for (const part of parts) {
    if (part.kind === 'argument') throw new Error(`"gantryd" accepts no arguments: ${part.text}`);
    if (part.kind === 'flag') take(part.flag, part.text, values);
  }
  return values;
}

function take(option: Option, text: string, values: Map<Option, unknown>): void {
  try {
    values.set(option, KINDS[option.kind].flag(text, values.get(option)));
  } catch (error) {
    const name = option.short === undefined ? `--${option.flag}` : `-${option.short}, --${option.flag}`;
    throw new Error(`invalid argument ${JSON.stringify(text)} for "${name}" flag: ${messageOf(error)}`);
  }
}
