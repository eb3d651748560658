// Owns splitting a command line into flags and arguments by the rules of Docker's programs (pflag), and their words for mistakes. Knows
// no flag, and reads no value.

/** Which flags there are. `F` is whatever the caller knows a flag by. */
export interface CommandLineRules<F> {
  readonly long: (name: string) => F | undefined;
  /** `letter` is one character. */
  readonly short: (letter: string) => F | undefined;
  /** False for flags that stand for themselves; they may still have a value after `=`. */
  readonly takesValue: (flag: F) => boolean;
  /** False when flags end at the first argument. */
  readonly interspersed: boolean;
}

/** A part of a command line. `help` is an asking for help by a flag that the rules do not know; a short one ends the line. */
export type CommandLinePart<F> =
  | { readonly kind: 'flag'; readonly flag: F; readonly text: string }
  | { readonly kind: 'argument'; readonly text: string }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'short-help'; readonly rest: readonly string[] };

/** A command line that cannot be split: `message` in pflag's words. */
export class CommandLineError extends Error {
  /** A flag that there is not, as it was written: `--name`, or `-x` of a single letter. */
  readonly unknown: string | undefined;

  constructor(message: string, unknown?: string) {
    super(message);
    this.name = 'CommandLineError';
    this.unknown = unknown;
  }
}

/**
 * The parts of `argv`, in order.
 * @throws CommandLineError at a flag that is unknown or lacks its value
 * @source docker 28.2.2 and dockerd 28.5 (pflag)
 */
export function* commandLineParts<F>(
  argv: readonly string[],
  rules: CommandLineRules<F>,
): Generator<CommandLinePart<F>, void, void> {
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const ends = word === '--';
    if (ends || word === '-' || !word.startsWith('-')) {
      if (!ends) yield { kind: 'argument', text: word };
      if (!ends && rules.interspersed) continue;
      for (const text of rest) yield { kind: 'argument', text };
      return;
    }
    if (word.startsWith('--')) yield longFlag(word, rest, rules);
    else yield* shortFlags(word.slice(1), rest, rules);
  }
}

/** `--name`, `--name=value`, `--name value`. */
function longFlag<F>(word: string, rest: string[], rules: CommandLineRules<F>): CommandLinePart<F> {
  if (/^--[-=]/.test(word)) throw new CommandLineError(`bad flag syntax: ${word}`);
  const [, name = '', , inline] = /^--([^=]*)(=([\s\S]*))?$/.exec(word) ?? [];
  const flag = rules.long(name);
  if (flag === undefined) {
    if (name === 'help') return { kind: 'help', text: inline ?? 'true' };
    throw new CommandLineError(`unknown flag: --${name}`, `--${name}`);
  }
  const text = inline ?? (rules.takesValue(flag) ? rest.shift() : 'true');
  if (text === undefined) throw new CommandLineError(`flag needs an argument: --${name}`);
  return { kind: 'flag', flag, text };
}

/** `-D`, `-Dl info`, `-linfo`, `-l=info`: letters up to the first that takes a value. */
function* shortFlags<F>(
  letters: string,
  rest: string[],
  rules: CommandLineRules<F>,
): Generator<CommandLinePart<F>, void, void> {
  for (let left = letters; left !== ''; ) {
    const [letter = ''] = left;
    const after = left.slice(letter.length);
    const flag = rules.short(letter);
    if (flag === undefined) {
      if (letter !== 'h') throw new CommandLineError(`unknown shorthand flag: '${letter}' in -${left}`, `-${letter}`);
      yield { kind: 'short-help', rest: rest.splice(0) };
      return;
    }
    const isAssigned = after.startsWith('=') && after.length > 1;
    if (!rules.takesValue(flag) && !isAssigned) {
      yield { kind: 'flag', flag, text: 'true' };
      left = after;
      continue;
    }
    const text = isAssigned ? after.slice(1) : after || rest.shift();
    if (text === undefined) throw new CommandLineError(`flag needs an argument: '${letter}' in -${left}`);
    yield { kind: 'flag', flag, text };
    return;
  }
}
