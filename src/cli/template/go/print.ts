// Owns printing one Go value by a verb, as Go's fmt does: `%v`, `%+v`, `%#v`, `%d`, `%q` and the others.
import { type FloatVerb, floatText } from './numbers.ts';
import { bytesOf, canBackquote, charOf, isPrintable, quoted, textOfBytes } from './text.ts';
import { ANY } from './types.ts';
import {
  complexOf,
  type GoValue,
  INVALID,
  isNil,
  isValid,
  itemAt,
  itemsOf,
  keysOf,
  membersOf,
  numberOf,
  textOf,
  typedValue,
  unwrap,
} from './values.ts';

/** The flags of a directive. `plusV` and `sharpV` are `%+v` and `%#v`. */
export interface PrintFlags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly plusV: boolean;
  readonly sharpV: boolean;
  /** Values print by their kind, whatever methods they have. */
  readonly byKind: boolean;
  /** Columns; undefined when not given. */
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** A directive without flags. */
export const PLAIN: PrintFlags = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  byKind: false,
  width: undefined,
  precision: undefined,
};

/** `value` as `%v`. */
export const plainText = (value: GoValue): string => printArgument(value, 'v', PLAIN);

/** An argument of a format by its verb. @source Go fmt printArg */
export function printArgument(value: GoValue, verb: string, flags: PrintFlags): string {
  if (!isValid(value)) return verb === 'v' || verb === 'T' ? pad('<nil>', flags) : badVerb(value, verb, flags);
  if (verb === 'T') return pad(cut(value.type.name, flags), flags);
  if (verb === 'p') return pointerText(value, 'p', flags);
  // Only Errorf knows it.
  if (verb === 'w' && value.type.name !== '[]uint8') return badVerb(value, verb, flags);
  return byMethod(value, verb, flags) ?? printValue(value, verb, flags, 0);
}

/** Verbs that a value's own `String` answers. */
const TEXT_VERBS = 'vsxXq';

function byMethod(value: GoValue, verb: string, flags: PrintFlags): string | undefined {
  const own = value.type.methods?.String;
  const inGo = value.type.methods?.GoString;
  if (flags.byKind) return undefined;
  if (flags.sharpV) return inGo === undefined || isNil(value) ? undefined : textOf(inGo.call(value, []));
  if (own === undefined || !TEXT_VERBS.includes(verb)) return undefined;
  if (value.type.kind === 'pointer' && isNil(value)) return verb === 'v' ? pad('<nil>', flags) : undefined;
  const receiver = value.type.kind === 'pointer' ? typedValue(value.type.elem ?? ANY, value.data) : value;
  return stringText(textOf(own.call(receiver, [])), verb, flags, value);
}

function printValue(value: GoValue, verb: string, flags: PrintFlags, depth: number): string {
  if (depth > 0) {
    const own = isValid(value) ? byMethod(value, verb, flags) : undefined;
    if (own !== undefined) return own;
  }
  switch (value.type.kind) {
    case 'invalid':
      return verb === 'v' ? '<nil>' : badVerb(value, verb, flags);
    case 'bool':
      return verb === 't' || verb === 'v' ? pad(String(value.data === true), flags) : badVerb(value, verb, flags);
    case 'int':
    case 'uint':
      return integerVerb(value, verb, flags);
    case 'float':
      return floatVerb(Number(numberOf(value)), verb, flags) ?? badVerb(value, verb, flags);
    case 'complex':
      return complexVerb(value, verb, flags);
    case 'string':
      return stringText(textOf(value), verb, flags, value);
    case 'interface':
      if (isNil(value)) return flags.sharpV ? `${value.type.name}(nil)` : '<nil>';
      return printValue(unwrap(value), verb, flags, depth + 1);
    case 'map':
      return mapText(value, verb, flags, depth);
    case 'struct':
      return structText(value, verb, flags, depth);
    case 'array':
    case 'slice':
      return listText(value, verb, flags, depth);
    case 'pointer': {
      const inner = typedValue(value.type.elem ?? ANY, value.data);
      const shown = ['array', 'slice', 'struct', 'map'].includes(inner.type.kind);
      if (depth === 0 && !isNil(value) && shown) return `&${printValue(inner, verb, flags, depth + 1)}`;
      return pointerText(value, verb, flags);
    }
  }
}

/** `%!verb(type=value)`: the verb does not fit. The flags still hold for the value. */
function badVerb(value: GoValue, verb: string, flags: PrintFlags): string {
  if (!isValid(value)) return `%!${verb}(<nil>)`;
  return `%!${verb}(${value.type.name}=${printArgument(value, 'v', { ...flags, byKind: true })})`;
}

function mapText(value: GoValue, verb: string, flags: PrintFlags, depth: number): string {
  const key = (name: string): string => printValue(typedValue(value.type.key ?? ANY, name), verb, flags, depth + 1);
  const item = (name: string): string =>
    printValue(typedValue(value.type.elem ?? ANY, membersOf(value)[name]), verb, flags, depth + 1);
  const entries = keysOf(value).map((name) => `${key(name)}:${item(name)}`);
  if (!flags.sharpV) return `map[${entries.join(' ')}]`;
  return isNil(value) ? `${value.type.name}(nil)` : `${value.type.name}{${entries.join(', ')}}`;
}

function structText(value: GoValue, verb: string, flags: PrintFlags, depth: number): string {
  const fields = (value.type.fields ?? []).map((field) => {
    const members = membersOf(value);
    const own = typedValue(field.type, field.embedded ? members : members[field.key]);
    const inner = own.type.kind === 'interface' && !isNil(own) ? unwrap(own) : own;
    const label = flags.plusV || flags.sharpV ? `${field.name}:` : '';
    return label + printValue(inner, verb, flags, depth + 1);
  });
  return flags.sharpV ? `${value.type.name}{${fields.join(', ')}}` : `{${fields.join(' ')}}`;
}

function listText(value: GoValue, verb: string, flags: PrintFlags, depth: number): string {
  if ('sqxX'.includes(verb) && value.type.elem?.name === 'uint8') {
    const bytes = Buffer.from(itemsOf(value) as number[]);
    return bytesText(bytes, verb, flags, value);
  }
  const name = depth === 0 && value.type.name === '[]uint8' ? '[]byte' : value.type.name;
  if (flags.sharpV && value.type.kind === 'slice' && isNil(value)) return `${name}(nil)`;
  const items = itemsOf(value).map((_item, at) => printValue(itemAt(value, at), verb, flags, depth + 1));
  return flags.sharpV ? `${name}{${items.join(', ')}}` : `[${items.join(' ')}]`;
}

/** Addresses by what they point to: Go's change with every run, ours stay the same within one. */
const addresses = new WeakMap<object, number>();
const FIRST_ADDRESS = 0xc000010000;
const ADDRESS_STEP = 0x10;
let nextAddress = FIRST_ADDRESS;

function addressOf(value: GoValue): number {
  if (isNil(value)) return 0;
  const { data } = value;
  const known = typeof data === 'object' && data !== null ? addresses.get(data) : undefined;
  if (known !== undefined) return known;
  const address = nextAddress;
  nextAddress += ADDRESS_STEP;
  if (typeof data === 'object' && data !== null) addresses.set(data, address);
  return address;
}

function pointerText(value: GoValue, verb: string, flags: PrintFlags): string {
  if (!['pointer', 'map', 'slice'].includes(value.type.kind)) return badVerb(value, verb, flags);
  const address = addressOf(value);
  const hex = (sharp: boolean): string => integerText(BigInt(address), 'x', { ...flags, sharp });
  switch (verb) {
    case 'v':
      if (flags.sharpV) return `(${value.type.name})(${address === 0 ? 'nil' : hex(true)})`;
      return address === 0 ? pad('<nil>', flags) : hex(!flags.sharp);
    case 'p':
      return hex(!flags.sharp);
    case 'b':
    case 'o':
    case 'd':
    case 'x':
    case 'X':
      return integerText(BigInt(address), verb, flags);
    default:
      return badVerb(value, verb, flags);
  }
}

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function integerVerb(value: GoValue, verb: string, flags: PrintFlags): string {
  const number = BigInt(numberOf(value));
  if (verb === 'v' && flags.sharpV && value.type.kind === 'uint') {
    return integerText(number, 'x', { ...flags, sharp: true });
  }
  if (BASES[verb] !== undefined) return integerText(number, verb, flags);
  switch (verb) {
    case 'c':
      return pad(charOf(number), flags);
    case 'q':
      return pad(quoted(charOf(number), "'", flags.plus), flags);
    case 'U':
      return unicodeText(number, flags);
    default:
      return badVerb(value, verb, flags);
  }
}

/** @source Go fmt fmtInteger */
function integerText(number: bigint, verb: string, flags: PrintFlags): string {
  const negative = number < 0n;
  let digits = (negative ? -number : number).toString(BASES[verb] ?? 10);
  if (verb === 'X') digits = digits.toUpperCase();
  const { width, precision } = flags;
  if (precision !== undefined) {
    if (precision === 0 && number === 0n) return ''.padStart(width ?? 0);
    digits = digits.padStart(precision, '0');
  } else if (flags.zero && !flags.minus && width !== undefined) {
    digits = digits.padStart(width - (negative || flags.plus || flags.space ? 1 : 0), '0');
  }
  if (flags.sharp) {
    if (verb === 'b') digits = `0b${digits}`;
    else if (verb.toLowerCase() === 'o' && !digits.startsWith('0')) digits = `0${digits}`;
    else if (verb === 'x' || verb === 'X') digits = `0${verb}${digits}`;
  }
  if (verb === 'O') digits = `0o${digits}`;
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  return pad(sign + digits, { ...flags, zero: false });
}

/** @source Go fmt fmtUnicode */
function unicodeText(number: bigint, flags: PrintFlags): string {
  const digits = BigInt.asUintN(64, number)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 0), '0');
  const char = charOf(number);
  const shown = flags.sharp && number <= 0x10ffffn && isPrintable(char) ? ` '${char}'` : '';
  return pad(`U+${digits}${shown}`, { ...flags, zero: false });
}

function floatVerb(number: number, verb: string, flags: PrintFlags): string | undefined {
  switch (verb) {
    case 'v':
      return floatField(number, 'g', flags.precision ?? -1, flags);
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
      return floatField(number, verb, flags.precision ?? -1, flags);
    case 'e':
    case 'E':
    case 'f':
      return floatField(number, verb, flags.precision ?? 6, flags);
    case 'F':
      return floatField(number, 'f', flags.precision ?? 6, flags);
    default:
      return undefined;
  }
}

/** @source Go fmt fmtFloat */
function floatField(number: number, verb: FloatVerb, precision: number, flags: PrintFlags): string {
  let text = floatText(number, verb, precision);
  if (flags.space && text.startsWith('+') && !flags.plus) text = ` ${text.slice(1)}`;
  if (/^.(Inf|NaN)$/.test(text)) {
    if (text.endsWith('NaN') && !flags.space && !flags.plus) text = text.slice(1);
    else if (text.startsWith('+') && !flags.plus) text = text.slice(1);
    return pad(text, { ...flags, zero: false });
  }
  if (flags.sharp && verb !== 'b') text = withPoint(text, verb, precision);
  if (!flags.plus && text.startsWith('+')) return pad(text.slice(1), flags);
  if (flags.zero && !flags.minus && flags.width !== undefined && flags.width > text.length) {
    return text[0] + text.slice(1).padStart(flags.width - 1, '0');
  }
  return pad(text, flags);
}

/** `%#g`: always a point, and no digit left out. */
function withPoint(text: string, verb: FloatVerb, precision: number): string {
  const counts = verb === 'g' || verb === 'G' || verb === 'x';
  const hex = verb === 'x' || verb === 'X';
  const [, sign = '', number = '', tail = ''] = (hex ? /^(.)(.*?)([pP].*)?$/ : /^(.)(.*?)([eE].*)?$/).exec(text) ?? [];
  let missing = (counts ? (precision < 0 ? 6 : precision) : 0) - number.replace('.', '').replace(/^0+/, '').length;
  if (!number.includes('.') && number === '0') missing--;
  const pointed = number.includes('.') ? number : `${number}.`;
  return sign + pointed + '0'.repeat(Math.max(0, missing)) + tail;
}

function complexVerb(value: GoValue, verb: string, flags: PrintFlags): string {
  const [real, imaginary] = complexOf(value);
  const first = floatVerb(real, verb, flags);
  const second = floatVerb(imaginary, verb, { ...flags, plus: true });
  return first === undefined || second === undefined ? badVerb(value, verb, flags) : `(${first}${second}i)`;
}

function stringText(text: string, verb: string, flags: PrintFlags, whole: GoValue): string {
  switch (verb) {
    case 'v':
      return flags.sharpV ? quotedField(text, { ...flags, sharp: false }) : pad(cut(text, flags), flags);
    case 's':
      return pad(cut(text, flags), flags);
    case 'q':
      return quotedField(text, flags);
    case 'x':
    case 'X':
      return bytesText(bytesOf(text), verb, flags, whole);
    default:
      return badVerb(whole, verb, flags);
  }
}

function bytesText(bytes: Buffer, verb: string, flags: PrintFlags, whole: GoValue): string {
  if (verb === 's' || verb === 'q') return stringText(textOfBytes(bytes), verb, flags, whole);
  const shown = flags.precision === undefined ? bytes : bytes.subarray(0, flags.precision);
  if (shown.length === 0) return pad('', flags);
  const pairs = [...shown].map((byte) => byte.toString(16).padStart(2, '0'));
  const upper = verb === 'X' ? pairs.map((pair) => pair.toUpperCase()) : pairs;
  const mark = flags.sharp ? `0${verb}` : '';
  const text = flags.space ? upper.map((pair) => mark + pair).join(' ') : mark + upper.join('');
  return pad(text, { ...flags, zero: false });
}

const cut = (text: string, flags: PrintFlags): string =>
  flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('');

function quotedField(text: string, flags: PrintFlags): string {
  const shown = cut(text, flags);
  if (flags.sharp && canBackquote(shown)) return pad(`\`${shown}\``, flags);
  return pad(quoted(shown, '"', flags.plus), flags);
}

/** `text` in the columns of `flags`, counted in characters. */
function pad(text: string, flags: PrintFlags): string {
  if (flags.width === undefined) return text;
  const missing = flags.width - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
}

/** Values side by side, a space between two that are no texts. @source Go fmt.Sprint */
export function sprint(values: readonly GoValue[]): string {
  let text = '';
  values.forEach((value, at) => {
    const before = values[at - 1] ?? INVALID;
    if (at > 0 && value.type.kind !== 'string' && before.type.kind !== 'string') text += ' ';
    text += plainText(value);
  });
  return text;
}

/** Values with a space between each two, and an end of line. @source Go fmt.Sprintln */
export const sprintln = (values: readonly GoValue[]): string => `${values.map(plainText).join(' ')}\n`;
