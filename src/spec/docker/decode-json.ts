// Owns JSON syntax as Go's encoding/json sees it: where a text stops being JSON, and the words for it. Builds no values.

/** What a scan found: the end of the first value, or why there is none. */
export type JsonScan =
  | { readonly kind: 'value'; readonly end: number }
  /** Nothing but white space. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'error'; readonly message: string };

const MAX_DEPTH = 1000;
const ESCAPES = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']);
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

class SyntaxFault extends Error {}

/**
 * Looks for one JSON value at the start of `text`; the wording of errors is Go's, as a Docker client sees it.
 * @source dockerd 28.5.2 built with go1.27, POST /containers/create with broken bodies
 */
export function scanJson(text: string): JsonScan {
  const start = skipSpace(text, 0);
  if (start >= text.length) return { kind: 'empty' };
  try {
    return { kind: 'value', end: scanValue(text, start, 0, 'looking for beginning of value') };
  } catch (error) {
    if (error instanceof SyntaxFault) return { kind: 'error', message: error.message };
    throw error;
  }
}

/** The first offset at or after `at` that is not JSON white space. */
export function skipSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && ' \t\r\n'.includes(text[next] as string)) next++;
  return next;
}

function scanValue(text: string, at: number, depth: number, where: string): number {
  if (depth > MAX_DEPTH) throw new SyntaxFault('exceeded max depth');
  const first = charAt(text, at);
  if (first === '{') return scanObject(text, at + 1, depth);
  if (first === '[') return scanArray(text, at + 1, depth);
  if (first === '"') return scanString(text, at);
  if (first === '-' || isDigit(first)) return scanNumber(text, at);
  const literal = LITERALS[first];
  if (literal === undefined) throw unexpected(first, where);
  return scanLiteral(text, at, literal);
}

function scanObject(text: string, from: number, depth: number): number {
  let at = skipSpace(text, from);
  if (charAt(text, at) === '}') return at + 1;
  for (;;) {
    const quote = charAt(text, at);
    if (quote !== '"') throw unexpected(quote, 'looking for beginning of object key string');
    at = skipSpace(text, scanString(text, at));
    const colon = charAt(text, at);
    if (colon !== ':') throw unexpected(colon, 'after object key');
    at = skipSpace(text, at + 1);
    at = skipSpace(text, scanValue(text, at, depth + 1, 'looking for beginning of value'));
    const next = charAt(text, at);
    if (next === '}') return at + 1;
    if (next !== ',') throw unexpected(next, 'after object key:value pair');
    at = skipSpace(text, at + 1);
  }
}

function scanArray(text: string, from: number, depth: number): number {
  let at = skipSpace(text, from);
  if (charAt(text, at) === ']') return at + 1;
  for (;;) {
    at = skipSpace(text, scanValue(text, at, depth + 1, 'looking for beginning of value'));
    const next = charAt(text, at);
    if (next === ']') return at + 1;
    if (next !== ',') throw unexpected(next, 'after array element');
    at = skipSpace(text, at + 1);
  }
}

function scanString(text: string, quoteAt: number): number {
  let at = quoteAt + 1;
  for (;;) {
    const char = charAt(text, at);
    if (char === '"') return at + 1;
    if (char < ' ') throw unexpected(char, 'in string');
    at = char === '\\' ? scanEscape(text, at) : at + 1;
  }
}

function scanEscape(text: string, at: number): number {
  const letter = charAt(text, at + 1);
  if (ESCAPES.has(letter)) return at + 2;
  if (letter === 'u') {
    const digits = text.slice(at + 2, at + 6);
    if (/^[0-9a-fA-F]{4}$/.test(digits)) return at + 6;
    if (digits.length < 4 && /^[0-9a-fA-F]*$/.test(digits)) throw new SyntaxFault('unexpected EOF');
    throw new SyntaxFault(`invalid escape sequence \`${text.slice(at, at + 6)}\` in string`);
  }
  throw new SyntaxFault(`invalid escape sequence \`\\${letter}\` in string`);
}

function scanNumber(text: string, start: number): number {
  let at = text[start] === '-' ? start + 1 : start;
  at = text[at] === '0' ? at + 1 : scanDigits(text, at);
  if (text[at] === '.') at = scanDigits(text, at + 1);
  if (text[at] === 'e' || text[at] === 'E') {
    const signed = text[at + 1] === '+' || text[at + 1] === '-';
    at = scanDigits(text, at + (signed ? 2 : 1));
  }
  return at;
}

/** At least one digit. */
function scanDigits(text: string, start: number): number {
  const first = charAt(text, start);
  if (!isDigit(first)) throw unexpected(first, 'in numeric literal');
  let at = start + 1;
  while (isDigit(text[at] ?? '')) at++;
  return at;
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function scanLiteral(text: string, at: number, literal: string): number {
  for (let i = 1; i < literal.length; i++) {
    const char = charAt(text, at + i);
    if (char !== literal[i]) throw unexpected(char, `in literal ${literal} (expecting '${literal[i]}')`);
  }
  return at + literal.length;
}

function charAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  if (point === undefined) throw new SyntaxFault('unexpected EOF');
  return String.fromCodePoint(point);
}

function unexpected(char: string, where: string): SyntaxFault {
  return new SyntaxFault(`invalid character ${quoteChar(char)} ${where}`);
}

/** One character in single quotes, as Go's %q writes it. */
function quoteChar(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '\ufeff') return `'\\ufeff'`;
  return `'${JSON.stringify(char).slice(1, -1).replace('\\"', '"')}'`;
}
