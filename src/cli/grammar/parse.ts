// Owns splitting a command line into flags and arguments with Docker's rules and error texts. Runs nothing.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type FlagChecks, Flags, readValue } from './flags.ts';
import { goQuote } from './go-text.ts';
import type { FlagSpec } from './types.ts';

/** A command line that cannot be read: `message` in Docker's words. */
export class FlagError extends Error {
  /** The name of a long flag that there is not. */
  readonly unknown: string | undefined;

  constructor(message: string, unknown?: string) {
    super(message);
    this.name = 'FlagError';
    this.unknown = unknown;
  }
}

/** What a command line says. */
export interface ParsedLine {
  readonly flags: Flags;
  readonly args: readonly string[];
  /** `--help` or `-h` was given; nothing after it was read. */
  readonly help: 'no' | 'long' | 'short';
}

/** How to read a line. */
export interface ParseOptions {
  readonly specs: readonly FlagSpec[];
  /** False when flags end at the first argument. */
  readonly interspersed: boolean;
  readonly checks?: FlagChecks | undefined;
}

type Token = NonNullable<ReturnType<typeof tokenize>>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/**
 * Reads `argv`.
 * @throws FlagError when a flag is unknown, lacks its value, or has a value that cannot be read
 * @source docker 28.2.2 (pflag)
 */
export function parseLine(argv: readonly string[], options: ParseOptions): ParsedLine {
  const flags = new Flags(options.specs);
  const reader = new FlagReader(flags, argv, options);
  const args: string[] = [];
  for (const token of tokenize(argv, options.specs)) {
    if (token.kind === 'positional') {
      if (!options.interspersed) return { flags, args: argv.slice(token.index), help: 'no' };
      args.push(token.value);
    } else if (token.kind === 'option') {
      const help = reader.read(token);
      if (help !== 'no') return { flags, args, help };
    } else if (!options.interspersed) {
      return { flags, args: argv.slice(token.index + 1), help: 'no' };
    }
  }
  return { flags, args, help: 'no' };
}

function tokenize(argv: readonly string[], specs: readonly FlagSpec[]) {
  const config: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean' } };
  for (const spec of specs) {
    config[spec.name] = {
      type: spec.type === 'bool' ? 'boolean' : 'string',
      multiple: true,
      ...(spec.short === undefined ? {} : { short: spec.short }),
    };
  }
  return parseArgs({ args: [...argv], options: config, strict: false, allowPositionals: true, tokens: true }).tokens;
}

class FlagReader {
  readonly #flags: Flags;
  readonly #argv: readonly string[];
  readonly #byName: ReadonlyMap<string, FlagSpec>;
  readonly #byShort: ReadonlyMap<string, FlagSpec>;
  readonly #checks: FlagChecks;
  /** Index of a `-abc=value` whose tail is already used up. */
  #finishedIndex = -1;

  constructor(flags: Flags, argv: readonly string[], options: ParseOptions) {
    this.#flags = flags;
    this.#argv = argv;
    this.#byName = new Map(options.specs.map((spec) => [spec.name, spec]));
    this.#byShort = new Map(options.specs.flatMap((spec) => (spec.short === undefined ? [] : [[spec.short, spec]])));
    this.#checks = options.checks ?? {};
  }

  read(token: OptionToken): ParsedLine['help'] {
    if (token.index === this.#finishedIndex) return 'no';
    return token.rawName.startsWith('--') ? this.#readLong(token) : this.#readShort(token);
  }

  #readLong(token: OptionToken): ParsedLine['help'] {
    const whole = this.#argv[token.index] ?? '';
    if (/^--[-=]/.test(whole)) throw new FlagError(`bad flag syntax: ${whole}`);
    const spec = this.#byName.get(token.name);
    if (spec === undefined) {
      if (token.name === 'help') return token.value === 'false' ? 'no' : 'long';
      throw new FlagError(`unknown flag: --${token.name}`, token.name);
    }
    if (spec.type !== 'bool' && token.value === undefined)
      throw new FlagError(`flag needs an argument: --${spec.name}`);
    this.#set(spec, token.value ?? 'true');
    return 'no';
  }

  #readShort(token: OptionToken): ParsedLine['help'] {
    const letter = token.rawName[1] ?? '';
    const cluster = (this.#argv[token.index] ?? '').slice(1);
    const spec = this.#byShort.get(letter);
    if (spec === undefined) {
      if (letter === 'h') return 'short';
      throw new FlagError(`unknown shorthand flag: ${quoteRune(letter)} in -${cluster.slice(cluster.indexOf(letter))}`);
    }
    if (spec.type === 'bool') {
      const assigned = new RegExp(`^[^=]*${letter}=(.*)$`, 's').exec(cluster);
      if (assigned !== null && this.#isLastBeforeEquals(cluster, letter)) this.#finishedIndex = token.index;
      this.#set(spec, this.#finishedIndex === token.index ? (assigned?.[1] ?? '') : 'true');
      return 'no';
    }
    if (token.value === undefined) throw new FlagError(`flag needs an argument: ${quoteRune(letter)} in -${letter}`);
    this.#set(spec, token.inlineValue ? token.value.replace(/^=/, '') : token.value);
    return 'no';
  }

  #isLastBeforeEquals(cluster: string, letter: string): boolean {
    return cluster[cluster.indexOf('=') - 1] === letter;
  }

  #set(spec: FlagSpec, text: string): void {
    try {
      const value = readValue(spec, text);
      this.#checks[spec.name]?.(text);
      this.#flags.set(spec, value);
    } catch (error) {
      const label = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
      const reason = error instanceof Error ? error.message : String(error);
      throw new FlagError(`invalid argument ${goQuote(text)} for ${goQuote(label)} flag: ${reason}`);
    }
  }
}

function quoteRune(letter: string): string {
  return `'${letter}'`;
}
