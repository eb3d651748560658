// Owns the values of a template's literals: quoted texts, characters and numbers, as Go reads them. Pure.
import { charOf, textOfBytes } from './go/text.ts';
import type { NumberLiteral } from './syntax.ts';

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * The value of a text in quotes or backquotes.
 * @throws Error `invalid syntax`
 * @source Go strconv.Unquote
 */
export function unquote(written: string): string {
  const inner = written.slice(1, -1);
  if (written.startsWith('`')) return inner.replaceAll('\r', '');
  return unescaped(inner, '"');
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))|[^\\]+|\\/gu;

function unescaped(inner: string, mark: string): string {
  const pieces: Buffer[] = [];
  for (const [whole, hex, short, long, octal, simple] of inner.matchAll(ESCAPE)) {
    if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
      if (byte > 255) throw new Error('invalid syntax');
      pieces.push(Buffer.from([byte]));
    } else if (short !== undefined || long !== undefined) {
      const code = Number.parseInt(short ?? long ?? '', 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error('invalid syntax');
      pieces.push(Buffer.from(charOf(code)));
    } else if (!whole.startsWith('\\')) {
      pieces.push(Buffer.from(whole));
    } else {
      const value = simple === mark ? mark : SIMPLE_ESCAPES[simple ?? ''];
      if (value === undefined) throw new Error('invalid syntax');
      pieces.push(Buffer.from(value));
    }
  }
  return textOfBytes(Buffer.concat(pieces));
}

/**
 * The number of a literal such as `1_000`, `0x1F`, `1e3`, `2i` or `'a'`.
 * @throws Error in Go's words
 * @source Go text/template/parse newNumber
 */
export function readNumber(text: string): NumberLiteral {
  if (text.startsWith("'")) return readCharacter(text);
  if (text.endsWith('i')) return readImaginary(text);
  const integer = readInteger(text);
  if (integer !== undefined && fits(integer)) return integers(text, integer);
  const float = readFloat(text);
  if (float === undefined) throw new Error(`illegal number syntax: "${text}"`);
  if (!/[.eEpP]/.test(text)) throw new Error(`integer overflow: "${text}"`);
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  return whole === undefined ? { text, float } : { ...integers(text, whole), float };
}

const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;
const fits = (value: bigint): boolean => value >= -INT_MAX - 1n && value <= UINT_MAX;

function integers(text: string, value: bigint): NumberLiteral {
  return {
    text,
    ...(value <= INT_MAX ? { int: value } : {}),
    ...(value >= 0n ? { uint: value } : {}),
    float: Number(value),
  };
}

function readCharacter(text: string): NumberLiteral {
  const chars = [...unescaped(text.slice(1, -1), "'")];
  if (chars.length === 0) throw new Error('invalid syntax');
  if (chars.length > 1) throw new Error(`malformed character constant: ${text}`);
  return integers(text, BigInt(chars[0]?.codePointAt(0) ?? 0));
}

function readImaginary(text: string): NumberLiteral {
  const split = /^(.*[^eEpP+-])([+-].*)i$/.exec(text);
  const imaginary = readFloat(split?.[2] ?? text.slice(0, -1));
  const real = split === null ? 0 : readFloat(split[1] ?? '');
  if (imaginary === undefined || real === undefined) throw new Error(`illegal number syntax: "${text}"`);
  return { text, complex: [real, imaginary] };
}

function readInteger(text: string): bigint | undefined {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/.exec(text) ?? [];
  if (!/^(?:0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|\d(?:_?\d)*)$/.test(body)) return undefined;
  const digits = body.replaceAll('_', '');
  const octal = /^0\d+$/.test(digits);
  if (octal && /[89]/.test(digits)) return undefined;
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return sign === '-' ? -value : value;
}

function readFloat(text: string): number | undefined {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const hex = /^0[xX]([\da-fA-F_]*)(?:\.([\da-fA-F_]*))?[pP]([+-]?\d+)$/.exec(body);
  let size: number;
  if (hex === null) {
    if (!/^(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d+)?$/.test(body)) return undefined;
    size = Number(body.replaceAll('_', ''));
  } else {
    const [, whole = '', fraction = '', exponent = '0'] = hex.map((part) => part?.replaceAll('_', ''));
    if (whole + fraction === '') return undefined;
    size = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  }
  if (!Number.isFinite(size)) return undefined;
  return sign === '-' ? -size : size;
}
