// Owns reading a format's directives (flags, widths, precisions, argument numbers) and filling them in, as Go's fmt.
import { PLAIN, type PrintFlags, plainText, printArgument } from './print.ts';
import { type GoValue, isValid, numberOf } from './values.ts';

/** Widths, precisions and argument numbers above it are refused. */
const NUMBER_MAX = 1_000_000;

/** `format` with `args` filled in. @source Go fmt.Sprintf */
export function sprintf(format: string, args: readonly GoValue[]): string {
  return new Formatter(format, args).run();
}

const FLAG_NAMES: Readonly<Record<string, keyof PrintFlags>> = {
  '#': 'sharp',
  '0': 'zero',
  '+': 'plus',
  '-': 'minus',
  ' ': 'space',
};

class Formatter {
  readonly #chars: readonly string[];
  readonly #args: readonly GoValue[];
  #at = 0;
  #arg = 0;
  #reordered = false;
  #goodArg = true;
  #afterIndex = false;

  constructor(format: string, args: readonly GoValue[]) {
    this.#chars = [...format];
    this.#args = args;
  }

  run(): string {
    let text = '';
    while (this.#at < this.#chars.length) {
      const char = this.#chars[this.#at++];
      text += char === '%' ? this.#directive() : char;
    }
    return text + this.#extra();
  }

  #extra(): string {
    if (this.#reordered || this.#arg >= this.#args.length) return '';
    const rest = this.#args
      .slice(this.#arg)
      .map((arg) => (isValid(arg) ? `${arg.type.name}=${plainText(arg)}` : '<nil>'));
    return `%!(EXTRA ${rest.join(', ')})`;
  }

  #directive(): string {
    this.#goodArg = true;
    let { flags, complaint } = this.#readFlags();
    this.#afterIndex = this.#argNumber();
    if (this.#peek() === '*') {
      this.#at++;
      const width = this.#intArg();
      if (width === undefined) complaint += '%!(BADWIDTH)';
      else flags = withWidth(flags, width);
      this.#afterIndex = false;
    } else {
      const width = this.#number();
      if (this.#afterIndex && width !== undefined) this.#goodArg = false;
      flags = { ...flags, width };
    }
    if (this.#peek() === '.') ({ flags, complaint } = this.#readPrecision(flags, complaint));
    if (!this.#afterIndex) this.#afterIndex = this.#argNumber();
    const verb = this.#chars[this.#at++];
    if (verb === undefined) return `${complaint}%!(NOVERB)`;
    return complaint + this.#fill(verb, flags);
  }

  #fill(verb: string, flags: PrintFlags): string {
    if (verb === '%') return '%';
    if (!this.#goodArg) return `%!${verb}(BADINDEX)`;
    const arg = this.#args[this.#arg];
    if (arg === undefined) return `%!${verb}(MISSING)`;
    this.#arg++;
    if (verb !== 'v' && verb !== 'w') return printArgument(arg, verb, flags);
    return printArgument(arg, verb, {
      ...flags,
      sharpV: flags.sharp,
      plusV: flags.plus,
      sharp: false,
      plus: false,
    });
  }

  #readFlags(): { flags: PrintFlags; complaint: string } {
    let flags = PLAIN;
    for (; ; this.#at++) {
      const name = FLAG_NAMES[this.#peek() ?? ''];
      if (name === undefined) return { flags, complaint: '' };
      flags = { ...flags, [name]: true };
    }
  }

  #readPrecision(flags: PrintFlags, complaint: string): { flags: PrintFlags; complaint: string } {
    this.#at++;
    if (this.#afterIndex) this.#goodArg = false;
    this.#afterIndex = this.#argNumber();
    if (this.#peek() !== '*') return { flags: { ...flags, precision: this.#number() ?? 0 }, complaint };
    this.#at++;
    const precision = this.#intArg();
    this.#afterIndex = false;
    if (precision === undefined || precision < 0) return { flags, complaint: `${complaint}%!(BADPREC)` };
    return { flags: { ...flags, precision }, complaint };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #number(): number | undefined {
    let digits = '';
    while (/^\d$/.test(this.#peek() ?? '')) digits += this.#chars[this.#at++];
    return digits === '' || Number(digits) > NUMBER_MAX ? undefined : Number(digits);
  }

  /** `[n]`: the next argument is the n-th. Answers whether there was a number. */
  #argNumber(): boolean {
    if (this.#peek() !== '[') return false;
    this.#reordered = true;
    const close = this.#chars.indexOf(']', this.#at);
    const text = close === -1 ? '' : this.#chars.slice(this.#at + 1, close).join('');
    this.#at = close === -1 ? this.#at + 1 : close + 1;
    const isNumber = /^\d+$/.test(text);
    if (isNumber && Number(text) >= 1 && Number(text) <= this.#args.length) this.#arg = Number(text) - 1;
    else this.#goodArg = false;
    return isNumber;
  }

  /** An argument that says how wide. */
  #intArg(): number | undefined {
    const arg = this.#args[this.#arg];
    if (arg === undefined) return undefined;
    this.#arg++;
    const number = Number(numberOf(arg));
    const fits = (arg.type.kind === 'int' || arg.type.kind === 'uint') && Math.abs(number) <= NUMBER_MAX;
    return fits ? number : undefined;
  }
}

function withWidth(flags: PrintFlags, width: number): PrintFlags {
  return width < 0 ? { ...flags, width: -width, minus: true, zero: false } : { ...flags, width };
}
