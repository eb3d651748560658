// Owns query strings as Go reads them: unescaping, booleans, integers, and Go's words for what is wrong. Knows no parameter names.

import { GantryError } from '../../lib/errors.ts';

/** The parameters of one request, in the order sent. */
export interface Query {
  /** The first value, '' when absent. */
  get(name: string): string;
  all(name: string): readonly string[];
  has(name: string): boolean;
  /** Docker's truth: anything but ``, 0, no, false, none. */
  bool(name: string): boolean;
  /** A copy with `name` set to one value, or without it. */
  with(name: string, value: string | undefined): Query;
}

const FALSE_WORDS: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);

/** @throws INVALID_QUERY with Go's text: `invalid URL escape "%zz"`, `invalid semicolon separator in query` */
export function parseQuery(text: string): Query {
  const values = new Map<string, string[]>();
  if (text !== '') {
    for (const part of text.split('&')) {
      if (part.includes(';')) throw invalidQuery('invalid semicolon separator in query');
      if (part !== '') addPair(values, part);
    }
  }
  return queryOf(values);
}

function addPair(values: Map<string, string[]>, part: string): void {
  const equals = part.indexOf('=');
  const name = percentDecode(equals < 0 ? part : part.slice(0, equals));
  const value = equals < 0 ? '' : percentDecode(part.slice(equals + 1));
  const list = values.get(name);
  if (list) list.push(value);
  else values.set(name, [value]);
}

function queryOf(values: ReadonlyMap<string, readonly string[]>): Query {
  const get = (name: string): string => values.get(name)?.[0] ?? '';
  return {
    get,
    all: (name) => values.get(name) ?? [],
    has: (name) => values.has(name),
    bool: (name) => !FALSE_WORDS.has(get(name).trim().toLowerCase()),
    with(name, value) {
      const copy = new Map(values);
      if (value === undefined) copy.delete(name);
      else copy.set(name, [value]);
      return queryOf(copy);
    },
  };
}

/**
 * Percent-decodes one path or query piece; `+` is a space unless `plus` is false. Bytes that are not UTF-8 become U+FFFD.
 * @throws INVALID_QUERY `invalid URL escape "%zz"`
 */
export function percentDecode(text: string, plus = true): string {
  const spaced = plus && text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(spaced);
  if (bad) throw invalidQuery(`invalid URL escape "${bad[0]}"`);
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeBytes(spaced);
  }
}

function decodeBytes(text: string): string {
  const parts = text.split(/(%[0-9a-fA-F]{2})/).map((part) => {
    return part.startsWith('%') && part.length === 3 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part);
  });
  return Buffer.concat(parts).toString();
}

function invalidQuery(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_QUERY', message);
}

/** `text` in Go's quotes (%q), where control characters look different from JSON's. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([01][0-9a-f])|\u007f/g, (_, hex = '7f') => `\\x${hex}`);
}

const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Go's strconv.Atoi or ParseInt. @throws BAD_INTEGER, kind system: Docker answers 500 to it.
 * @source dockerd 28.5.2: stop?t=abc, events?since=x
 */
export function parseGoInt(text: string, functionName: 'Atoi' | 'ParseInt' = 'Atoi'): number {
  const fault = goIntFault(text, -MAX_INT64 - 1n, MAX_INT64, true);
  if (fault === undefined) return Number(text);
  const message = `strconv.${functionName}: parsing ${goQuote(text)}: ${fault}`;
  throw new GantryError('system', 'BAD_INTEGER', message);
}

/** What Go finds wrong with `text` as an unsigned 32-bit number; undefined when nothing. */
export function uint32Fault(text: string): string | undefined {
  return goIntFault(text, 0n, 2n ** 32n - 1n, true);
}

/** What Go finds wrong with `text` as an unsigned 16-bit number, such as a port; undefined when nothing. */
export function uint16Fault(text: string): string | undefined {
  return goIntFault(text, 0n, 65_535n, false);
}

function goIntFault(text: string, min: bigint, max: bigint, signed: boolean): string | undefined {
  if (!(signed ? /^[+-]?[0-9]+$/ : /^[0-9]+$/).test(text)) return 'invalid syntax';
  if (/[1-9]\d{20}/.test(text)) return 'value out of range';
  const number = BigInt(text.replace(/^\+/, ''));
  return number < min || number > max ? 'value out of range' : undefined;
}
