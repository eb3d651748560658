// Owns how Go reads and quotes plain values (integers, booleans, durations, sizes), with its error texts. Pure.

/** `text` in double quotes with Go's escapes. @source Go strconv.Quote */
export function goQuote(text: string): string {
  let quoted = '';
  for (const char of text) quoted += ESCAPES[char] ?? (isPrintable(char) ? char : escapeRune(char));
  return `"${quoted}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\f': '\\f',
  '\b': '\\b',
  '\x07': '\\a',
};

function isPrintable(char: string): boolean {
  return char === ' ' || !/[\p{C}\p{Z}]/u.test(char);
}

function escapeRune(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** @throws Error in Go's words when `text` is no boolean */
export function parseGoBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** @throws Error in Go's words when `text` is no integer (decimal, 0x, 0o, 0b) or outside 64 bits */
export function parseGoInt(text: string): number {
  const match = /^([+-]?)(\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.exec(text);
  if (match === null) throw new Error(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const value = BigInt(match[2] ?? '0') * (match[1] === '-' ? -1n : 1n);
  if (value !== BigInt.asIntN(64, value)) {
    throw new Error(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  }
  return Number(value);
}

/** @throws Error in Go's words when `text` is no unsigned integer of `bits` bits */
export function parseGoUint(text: string, bits: number): number {
  if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);
  const value = BigInt(text);
  if (value !== BigInt.asUintN(bits, value)) {
    throw new Error(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  }
  return Number(value);
}

const UNIT_NANOS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a Go duration such as `1h30m`. @throws Error in Go's words */
export function parseGoDuration(text: string): number {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (body === '') throw new Error(`time: invalid duration ${goQuote(text)}`);
  let nanos = 0;
  let rest = body;
  while (rest !== '') {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (match === null) throw new Error(`time: invalid duration ${goQuote(text)}`);
    const unit = match[2] ?? '';
    if (unit === '') throw new Error(`time: missing unit in duration ${goQuote(text)}`);
    const unitNanos = UNIT_NANOS[unit];
    if (unitNanos === undefined) throw new Error(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    nanos += Number(match[1]) * unitNanos;
    rest = rest.slice(match[0].length);
  }
  return Math.trunc(text.startsWith('-') ? -nanos : nanos);
}

const BINARY_SUFFIXES = 'bkmgtp';

/**
 * Bytes of a size such as `512m` or `1.5GiB`; suffixes count by 1024.
 * @throws Error in Docker's words
 * @source docker/go-units RAMInBytes
 */
export function parseBytes(text: string): number {
  const digitsEnd = Math.max(...[...'0123456789. '].map((char) => text.lastIndexOf(char)));
  if (digitsEnd === -1) throw new Error(`invalid size: '${text}'`);
  const [digits, suffix] =
    text[digitsEnd] === ' '
      ? [text.slice(0, digitsEnd), text.slice(digitsEnd + 1)]
      : [text.slice(0, digitsEnd + 1), text.slice(digitsEnd + 1)];
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(digits)) {
    throw new Error(`strconv.ParseFloat: parsing ${goQuote(digits)}: invalid syntax`);
  }
  const size = Number(digits);
  if (size < 0) throw new Error(`invalid size: '${text}'`);
  if (suffix === '') return Math.trunc(size);
  const match = /^(?:b|([kmgtp])(?:b|ib)?)$/i.exec(suffix);
  if (match === null) throw new Error(`invalid suffix: '${suffix}'`);
  return Math.trunc(size * 1024 ** BINARY_SUFFIXES.indexOf((match[1] ?? 'b').toLowerCase()));
}

/** Billionths of a CPU count such as `1.5`. @throws Error in Docker's words */
export function parseNanoCpus(text: string): number {
  const match = /^[+-]?(?:(\d+)(?:\/(\d+))?|(\d*\.?\d*)(?:[eE]([+-]?\d+))?)$/.exec(text);
  const value = match?.[2] === undefined ? Number(text) : Number(match[1]) / Number(match[2]);
  if (text === '' || match === null || !Number.isFinite(value)) {
    throw new Error(`failed to parse ${text} as a rational number`);
  }
  const nanos = value * 1e9;
  if (Math.abs(nanos - Math.round(nanos)) > 1e-6 * Math.max(1, Math.abs(nanos) * 1e-9)) {
    throw new Error('value is too precise');
  }
  return Math.round(nanos);
}

/**
 * The fields of one CSV record; quotes as in RFC 4180.
 * @throws Error in Go's words on a stray quote
 * @source Go encoding/csv
 */
export function parseCsvRecord(text: string): string[] {
  if (text === '') throw new Error('EOF');
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    if (!rest.startsWith('"')) {
      const comma = rest.indexOf(',');
      const field = comma === -1 ? rest : rest.slice(0, comma);
      const quote = field.indexOf('"');
      if (quote !== -1)
        throw new Error(
          `parse error on line 1, column ${text.length - rest.length + quote + 1}: bare " in non-quoted-field`,
        );
      fields.push(field);
      if (comma === -1) return fields;
      rest = rest.slice(comma + 1);
      continue;
    }
    const match = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    if (match === null)
      throw new Error(`parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`);
    fields.push((match[1] ?? '').replaceAll('""', '"'));
    rest = rest.slice(match[0].length);
    if (match[2] === '') return fields;
  }
}
