// Owns reading a command line into option values, with dockerd's words for mistakes. Pure.

import { messageOf } from '../lib/errors.ts';
import { KINDS } from './option-kinds.ts';
import { OPTIONS, type Option } from './options.table.ts';

/** The value of each flag that is given. @throws Error in dockerd's words */
export function readFlags(argv: readonly string[]): Map<Option, unknown> {
  const values = new Map<Option, unknown>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--' || word === '-' || !word.startsWith('-')) {
      const argument = word === '--' ? rest.shift() : word;
      if (argument === undefined) break;
      throw new Error(`"gantryd" accepts no arguments: ${argument}`);
    }
    if (word.startsWith('--')) readLong(word, rest, values);
    else readShort(word.slice(1), rest, values);
  }
  return values;
}

/** `--name`, `--name=value`, `--name value`. */
function readLong(word: string, rest: string[], values: Map<Option, unknown>): void {
  const [name = '', ...text] = word.slice(2).split('=');
  if (name === '' || name.startsWith('-')) throw new Error(`bad flag syntax: ${word}`);
  const option = OPTIONS.find(({ flag }) => flag === name);
  if (option === undefined) throw new Error(`unknown flag: --${name}`);
  const value = text.length > 0 ? text.join('=') : KINDS[option.kind].word === '' ? 'true' : rest.shift();
  if (value === undefined) throw new Error(`flag needs an argument: --${name}`);
  take(option, value, values);
}

/** `-D`, `-Dl info`, `-linfo`, `-l=info`: letters up to the first that takes a value. */
function readShort(letters: string, rest: string[], values: Map<Option, unknown>): void {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] as string;
    const after = letters.slice(at + 1);
    const option = OPTIONS.find(({ short }) => short === letter);
    if (option === undefined) throw new Error(`unknown shorthand flag: '${letter}' in -${letters.slice(at)}`);
    if (after.startsWith('=')) {
      take(option, after.slice(1), values);
      return;
    }
    if (KINDS[option.kind].word === '') {
      take(option, 'true', values);
      continue;
    }
    const value = after === '' ? rest.shift() : after;
    if (value === undefined) throw new Error(`flag needs an argument: '${letter}' in -${letters.slice(at)}`);
    take(option, value, values);
    return;
  }
}

function take(option: Option, text: string, values: Map<Option, unknown>): void {
  try {
    values.set(option, KINDS[option.kind].flag(text, values.get(option)));
  } catch (error) {
    const name = option.short === undefined ? `--${option.flag}` : `-${option.short}, --${option.flag}`;
    throw new Error(`invalid argument ${JSON.stringify(text)} for "${name}" flag: ${messageOf(error)}`);
  }
}
