// Owns patterns that strangers wrote: regular expressions run with a bounded time, shell patterns matched without going back.

import { type Context, createContext, Script } from 'node:vm';
import { GantryError } from './errors.ts';

const MOST_CHARS = 4096;
/** As long as the event loop may be held up. */
const MOST_MS = 50;
/** Nothing in it means anything but itself. */
const PLAIN = /^[\w/-]*$/;

let context: Context | undefined;
const script = new Script('texts.filter((text) => expression.test(text))');

/**
 * Those of `texts` in which the regular expression `source` finds something.
 * @throws SyntaxError when it is none; PATTERN_TOO_COSTLY when it is over 4096 characters or takes over 50 ms
 */
export function textsMatching(source: string, texts: readonly string[]): ReadonlySet<string> {
  if (PLAIN.test(source)) return new Set(texts.filter((text) => text.includes(source)));
  if (source.length > MOST_CHARS) throw tooCostly();
  const expression = new RegExp(source);
  if (texts.length === 0) return new Set();
  context ??= createContext(Object.create(null));
  Object.assign(context, { expression, texts });
  try {
    return new Set(script.runInContext(context, { timeout: MOST_MS }) as string[]);
  } catch (error) {
    throw (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? tooCostly() : error;
  } finally {
    Object.assign(context, { expression: undefined, texts: undefined });
  }
}

function tooCostly(): GantryError {
  return new GantryError('invalid', 'PATTERN_TOO_COSTLY', 'the regular expression takes too long to match');
}

type Token = '*' | ((char: string) => boolean);

/** True when all of `text` fits the shell pattern: `*` and `?` stop at slashes, `[…]` is a set. A broken one fits nothing. */
export function fitsGlob(text: string, pattern: string): boolean {
  const tokens = globTokens(pattern);
  if (!tokens) return false;
  // Only the last star may need another length: those before it have taken the least, and none crosses a slash.
  let star: { token: number; char: number } | undefined;
  let token = 0;
  for (let char = 0; char < text.length || token < tokens.length; ) {
    const wanted = tokens[token];
    const given = text[char];
    if (wanted === '*') star = { token: token++, char };
    else if (wanted !== undefined && given !== undefined && wanted(given)) {
      token++;
      char++;
    } else if (star && star.char < text.length && text[star.char] !== '/') {
      star.char++;
      token = star.token + 1;
      char = star.char;
    } else return false;
  }
  return true;
}

/** True when `pattern` is a shell pattern that fitsGlob can match. */
export function isGlob(pattern: string): boolean {
  return globTokens(pattern) !== undefined;
}

function globTokens(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (const [part] of pattern.matchAll(/\\.|\[[^\]]*\]|[\s\S]/g)) {
    if (part === '*') tokens.push('*');
    else if (part === '?') tokens.push((char) => char !== '/');
    else if (part === '[' || part === '\\') return undefined;
    else if (part.length > 1 && part.startsWith('[')) {
      const set = setOf(part);
      if (!set) return undefined;
      tokens.push((char) => set.test(char));
    } else {
      const literal = part.slice(-1);
      tokens.push((char) => char === literal);
    }
  }
  return tokens;
}

function setOf(text: string): RegExp | undefined {
  try {
    return new RegExp(`^${text}$`);
  } catch {
    return undefined;
  }
}
