// Owns splitting a command line into flags and arguments with Docker's rules and error texts. Runs nothing.

import { messageOf } from '../../lib/errors.ts';
import { HintedError } from '../failure.ts';
import { HINT_OF_FLAG, HINT_OF_TYPE } from '../hints.table.ts';
import { type FlagChecks, Flags, readValue } from './flags.ts';
import { goQuote, parseGoBool } from './go-text.ts';
import type { FlagSpec } from './types.ts';

/** A command line that cannot be read: `message` in Docker's words. */
export class FlagError extends HintedError {
  /** The name of a long flag that there is not. */
  readonly unknown: string | undefined;

  constructor(message: string, unknown?: string, hint?: string) {
    super(message, hint);
    this.name = 'FlagError';
    this.unknown = unknown;
  }
}

/** What a command line says. */
export interface ParsedLine {
  readonly flags: Flags;
  readonly args: readonly string[];
  /** `--help`, or `-h`, which ends the reading: `args` are the words after it. */
  readonly help: 'no' | 'long' | 'short';
}

/** How to read a line. */
export interface ParseOptions {
  readonly specs: readonly FlagSpec[];
  /** False when flags end at the first argument. */
  readonly interspersed: boolean;
  readonly checks?: FlagChecks | undefined;
}

/**
 * Reads `argv`.
 * @throws FlagError when a flag is unknown, lacks its value, or has a value that cannot be read
 * @source docker 28.2.2 (pflag)
 */
export function parseLine(argv: readonly string[], options: ParseOptions): ParsedLine {
  const reader = new FlagReader(argv, options);
  const { flags } = reader;
  const args: string[] = [];
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === '--') {
      args.push(...reader.rest());
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      if (options.interspersed) continue;
      args.push(...reader.rest());
      break;
    }
    if (word.startsWith('--')) reader.long(word);
    else if (reader.short(word) === 'help') return { flags, args: reader.rest(), help: 'short' };
  }
  return { flags, args, help: reader.help ? 'long' : 'no' };
}

class FlagReader {
  readonly flags: Flags;
  /** `--help` was given. */
  help = false;
  readonly #argv: readonly string[];
  readonly #byName: ReadonlyMap<string, FlagSpec>;
  readonly #byShort: ReadonlyMap<string, FlagSpec>;
  readonly #checks: FlagChecks;
  #at = 0;

  constructor(argv: readonly string[], options: ParseOptions) {
    this.flags = new Flags(options.specs);
    this.#argv = argv;
    this.#byName = new Map(options.specs.map((spec) => [spec.name, spec]));
    this.#byShort = new Map(options.specs.flatMap((spec) => (spec.short === undefined ? [] : [[spec.short, spec]])));
    this.#checks = options.checks ?? {};
  }

  next(): string | undefined {
    return this.#argv[this.#at++];
  }

  rest(): readonly string[] {
    return this.#argv.slice(this.#at);
  }

  /** `--name`, `--name=value` or `--name value`. */
  long(word: string): void {
    if (/^--[-=]/.test(word)) throw new FlagError(`bad flag syntax: ${word}`);
    const [, name = '', , inline] = /^--([^=]*)(=([\s\S]*))?$/.exec(word) ?? [];
    const spec = this.#byName.get(name);
    if (spec === undefined) {
      if (name !== 'help') throw new FlagError(`unknown flag: --${name}`, name);
      this.help = readHelp(inline ?? 'true');
      return;
    }
    const value = inline ?? (spec.type === 'bool' ? 'true' : this.next());
    if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
    this.#set(spec, value);
  }

  /** `-abc`: letters run together, of which the last may take a value; `help` at an `-h` that is no flag of its own. */
  short(word: string): 'flags' | 'help' {
    for (let letters = word.slice(1); letters !== ''; ) {
      const [letter = ''] = letters;
      const spec = this.#byShort.get(letter);
      if (spec === undefined) {
        if (letter === 'h') return 'help';
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
      }
      const rest = letters.slice(letter.length);
      const assigned = rest.startsWith('=') && rest.length > 1;
      if (spec.type === 'bool' && !assigned) {
        this.#set(spec, 'true');
        letters = rest;
        continue;
      }
      const value = assigned ? rest.slice(1) : rest || this.next();
      if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
      this.#set(spec, value);
      letters = '';
    }
    return 'flags';
  }

  #set(spec: FlagSpec, text: string): void {
    try {
      const value = readValue(spec, text);
      this.#checks[spec.name]?.(text);
      this.flags.set(spec, value);
    } catch (error) {
      const label = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
      throw invalidArgument(text, label, error, HINT_OF_FLAG[spec.name] ?? HINT_OF_TYPE[spec.type]);
    }
  }
}

function readHelp(text: string): boolean {
  try {
    return parseGoBool(text);
  } catch (error) {
    throw invalidArgument(text, '--help', error);
  }
}

function invalidArgument(text: string, label: string, error: unknown, hint?: string): FlagError {
  const message = `invalid argument ${goQuote(text)} for ${goQuote(label)} flag: ${messageOf(error)}`;
  return new FlagError(message, undefined, hint);
}
