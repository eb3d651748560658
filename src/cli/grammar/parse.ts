// Owns what a command line says: the values of its flags, its arguments, and mistakes in Docker's words. Runs nothing.

import { CommandLineError, type CommandLineRules, commandLineParts } from '../../lib/command-line.ts';
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
  const flags = new Flags(options.specs);
  const args: string[] = [];
  let help = false;
  try {
    for (const part of commandLineParts(argv, rulesOf(options))) {
      if (part.kind === 'short-help') return { flags, args: part.rest, help: 'short' };
      if (part.kind === 'help') help = readHelp(part.text);
      else if (part.kind === 'argument') args.push(part.text);
      else setFlag(flags, part.flag, part.text, options.checks);
    }
  } catch (error) {
    if (error instanceof CommandLineError)
      throw new FlagError(error.message, /^--(.*)$/s.exec(error.unknown ?? '')?.[1]);
    throw error;
  }
  return { flags, args, help: help ? 'long' : 'no' };
}

function rulesOf({ specs, interspersed }: ParseOptions): CommandLineRules<FlagSpec> {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const byShort = new Map(specs.flatMap((spec) => (spec.short === undefined ? [] : [[spec.short, spec] as const])));
  return {
    long: (name) => byName.get(name),
    short: (letter) => byShort.get(letter),
    takesValue: ({ type }) => type !== 'bool',
    interspersed,
  };
}

function setFlag(flags: Flags, spec: FlagSpec, text: string, checks: FlagChecks = {}): void {
  try {
    const value = readValue(spec, text);
    checks[spec.name]?.(text);
    flags.set(spec, value);
  } catch (error) {
    const label = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
    throw invalidArgument(text, label, error, HINT_OF_FLAG[spec.name] ?? HINT_OF_TYPE[spec.type]);
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
