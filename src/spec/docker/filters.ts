// Owns Docker's `filters` parameter: both JSON forms, key checks and the value matchers that lists share. Knows no object.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import { textsMatching } from '../../lib/pattern.ts';

/** key → values, in the order sent. Values of one key are alternatives, keys must all hold. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/**
 * Parses `{"k":["v"]}` and `{"k":{"v":true}}`; '' is no filter. In the second form the booleans are not looked at.
 * @throws INVALID_FILTER `invalid filter`. @source dockerd 28.5.2
 */
export function parseFilters(text: string): Filters {
  if (text === '') return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidFilter('invalid filter');
  }
  if (value === null) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidFilter('invalid filter');
  return new Map(Object.entries(value).map(([key, values]) => [key, valuesOf(values)]));
}

function valuesOf(values: unknown): readonly string[] {
  if (values === null) return [];
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  if (typeof values !== 'object' || Array.isArray(values)) throw invalidFilter('invalid filter');
  const entries = Object.entries(values as object);
  if (entries.some(([, on]) => typeof on !== 'boolean' && on !== null)) throw invalidFilter('invalid filter');
  return entries.map(([value]) => value);
}

/** @throws INVALID_FILTER `invalid filter 'k'` for a key that is none of `accepted` */
export function requireFilterKeys(filters: Filters, accepted: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!accepted.includes(key)) throw invalidFilter(`invalid filter '${key}'`);
  }
}

/**
 * The value of a yes-no filter, `otherwise` when it is absent.
 * @throws INVALID_FILTER `invalid filter 'k=[v]'` unless it is one of 1, true, 0, false
 */
export function boolFilter(filters: Filters, key: string, otherwise: boolean): boolean {
  const values = filters.get(key);
  if (values === undefined) return otherwise;
  const isTrue = values.includes('1') || values.includes('true');
  const isFalse = values.includes('0') || values.includes('false');
  if (isTrue === isFalse) throw invalidFilter(`invalid filter '${key}=[${values.join(' ')}]'`);
  return isTrue;
}

/** True when every wanted label (`k` or `k=v`) is there. */
export function matchesLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    if (!Object.hasOwn(labels, key)) return false;
    return equals < 0 || labels[key] === text.slice(equals + 1);
  });
}

/** True when an object with `labels` is within what a prune's `label` and `label!` name: `label!` spares what has all its labels. @source dockerd 28.5 */
export function passesLabels(
  labels: Readonly<Record<string, string>>,
  wanted: readonly string[],
  spared: readonly string[],
): boolean {
  return matchesLabels(labels, wanted) && !(spared.length > 0 && matchesLabels(labels, spared));
}

/** True when `text` equals a value, or a value as a regular expression finds something in it. @throws PATTERN_TOO_COSTLY. @source moby filters.Args.Match */
export function matchesPattern(text: string, values: readonly string[]): boolean {
  return values.some((value) => {
    if (value === text) return true;
    try {
      return textsMatching(value, [text]).size > 0;
    } catch (error) {
      if (isGantryError(error)) throw error;
      return text.includes(value);
    }
  });
}

/** A filter error with Docker's text. */
export function invalidFilter(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_FILTER', message);
}
