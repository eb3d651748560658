// Owns reading JSON documents as Go does: shapes of fields with Go's types, and Go's words for what does not fit. Pure.
// Unknown fields are passed over, null is as absent, names match in any case.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import { scanJson, skipSpace } from '../docker/decode-json.ts';
import { parseRfc3339 } from '../time.ts';

/** Of any list or map: a document of 4 MiB could hold a million, and reading them would hold everything else up. */
const ENTRIES_MAX = 20_000;

/** Where a value stands, from the root: names and list positions. `root` is the Go type of the document. */
interface Place {
  readonly root: string;
  readonly path: readonly (string | number)[];
}

/** Reads a value of one Go type. */
export interface Shape<T> {
  /** Go's name of the type. */
  readonly go: string;
  /** What a null in a list stands for. */
  readonly zero: T;
  /** `value` is neither null nor absent. @throws BAD_MANIFEST with Go's text */
  read(value: unknown, place: Place): T;
}

/** A document of `shape` out of bytes; `what` it is, errors hint at. @throws BAD_MANIFEST with Go's text. @source dockerd 28.5: manifests and configurations with wrong types */
export function decodeDocument<T>(shape: Shape<T>, root: string, bytes: Uint8Array, what: string): T {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  try {
    return readValue(shape, parseJson(text), { root, path: [] });
  } catch (error) {
    if (!isGantryError(error)) throw error;
    throw error.withHint(`this was found in ${what}`);
  }
}

/** A whole JSON text. @throws BAD_MANIFEST with Go's text */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badJson(syntaxFault(text), cause);
  }
}

/** Go's word for why `text` is not one JSON value. */
function syntaxFault(text: string): string {
  const scan = scanJson(text);
  if (scan.kind === 'empty') return 'unexpected end of JSON input';
  // A cut text has a word of its own where all of it is at hand.
  if (scan.kind === 'error') return scan.message === 'unexpected EOF' ? 'unexpected end of JSON input' : scan.message;
  const after = text.codePointAt(skipSpace(text, scan.end));
  return after === undefined
    ? 'unexpected end of JSON input'
    : `invalid character '${String.fromCodePoint(after)}' after top-level value`;
}

function readValue<T>(shape: Shape<T>, value: unknown, place: Place): T {
  return value === null || value === undefined ? shape.zero : shape.read(value, place);
}

function below(place: Place, key: string | number): Place {
  return { root: place.root, path: [...place.path, key] };
}

function plain<T>(go: string, zero: T, fits: (value: unknown) => value is T): Shape<T> {
  const shape: Shape<T> = { go, zero, read: (value, place) => (fits(value) ? value : wrongType(value, shape, place)) };
  return shape;
}

const isString = (value: unknown): value is string => typeof value === 'string';

export const STRING: Shape<string> = plain('string', '', isString);
export const BOOL: Shape<boolean> = plain('bool', false, (value): value is boolean => typeof value === 'boolean');

/** A string that Go keeps under a name of its own. */
export function stringOf(go: string): Shape<string> {
  return plain(go, '', isString);
}

/** A whole number that a double holds exactly. */
export function integer(go: string): Shape<number> {
  const shape: Shape<number> = {
    go,
    zero: 0,
    read(value, place) {
      if (typeof value !== 'number') return wrongType(value, shape, place);
      if (Number.isSafeInteger(value)) return value;
      throw badJson(`json: cannot unmarshal number ${value} into ${whereText(shape, place)}`);
    },
  };
  return shape;
}

/** An RFC 3339 text. */
export const TIME: Shape<string> = {
  go: 'time.Time',
  zero: '',
  read(value, place) {
    if (typeof value !== 'string') return wrongType(value, TIME, place);
    if (parseRfc3339(value) !== undefined) return value;
    const quoted = JSON.stringify(value);
    throw badJson(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`);
  },
};

/** Docker's list of words, which a lone text may stand for. */
export const WORDS: Shape<readonly string[] | undefined> = {
  go: 'strslice.StrSlice',
  zero: undefined,
  read(value) {
    if (typeof value === 'string') return [value];
    if (!Array.isArray(value)) return wrongType(value, STRING, { root: '', path: [] });
    if (value.length > ENTRIES_MAX) throw badJson(`a list of over ${ENTRIES_MAX} words`);
    return value.map((item) => readValue(STRING, item, { root: '', path: [] }));
  },
};

/** A list of at most `max` elements; undefined when absent. */
export function listOf<T>(element: Shape<T>, max = ENTRIES_MAX): Shape<readonly T[] | undefined> {
  const shape: Shape<readonly T[] | undefined> = {
    go: `[]${element.go}`,
    zero: undefined,
    read(value, place) {
      if (!Array.isArray(value)) return wrongType(value, shape, place);
      if (value.length > max) throw tooMany(place, max);
      return value.map((item: unknown, index) => readValue(element, item, below(place, index)));
    },
  };
  return shape;
}

/** An object used as a map; undefined when absent. */
export function mapOf<T>(
  element: Shape<T>,
  go = `map[string]${element.go}`,
): Shape<Readonly<Record<string, T>> | undefined> {
  const shape: Shape<Readonly<Record<string, T>> | undefined> = {
    go,
    zero: undefined,
    read(value, place) {
      if (!isObject(value)) return wrongType(value, shape, place);
      const entries = Object.entries(value);
      if (entries.length > ENTRIES_MAX) throw tooMany(place, ENTRIES_MAX);
      return Object.fromEntries(entries.map(([key, item]) => [key, readValue(element, item, below(place, key))]));
    },
  };
  return shape;
}

/** The members of a map that is a set. */
export const NOTHING: Shape<Record<string, never>> = {
  go: 'struct {}',
  zero: {},
  read: (value, place) => (isObject(value) ? {} : wrongType(value, NOTHING, place)),
};

type Fields<T> = { readonly [K in keyof T]: Shape<T[K]> };

/** A struct: every field is there, zero where the document has none. */
export function structOf<T extends object>(go: string, fields: Fields<T>): Shape<T> {
  const shapes = Object.entries(fields) as [string, Shape<unknown>][];
  const folded = new Map(shapes.map(([name, shape]) => [name.toLowerCase(), { name, shape }]));
  const zero = Object.fromEntries(shapes.map(([name, shape]) => [name, shape.zero])) as T;
  const shape: Shape<T> = {
    go,
    zero,
    read(value, place) {
      if (!isObject(value)) return wrongType(value, shape, place);
      const result = { ...zero } as Record<string, unknown>;
      for (const [key, item] of Object.entries(value)) {
        const field = folded.get(key.toLowerCase());
        // A name as written wins over the same in another case.
        if (!field || (key !== field.name && Object.hasOwn(value, field.name))) continue;
        result[field.name] = readValue(field.shape, item, below(place, field.name));
      }
      return result as T;
    },
  };
  return shape;
}

/** A struct that may be absent. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return { go: shape.go, zero: undefined, read: (value, place) => shape.read(value, place) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongType(value: unknown, shape: { readonly go: string }, place: Place): never {
  throw badJson(`json: cannot unmarshal ${kindOf(value)} into ${whereText(shape, place)}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function whereText({ go }: { readonly go: string }, { root, path }: Place): string {
  if (path.length === 0) return `Go value of type ${go}`;
  const dotted = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('.');
  // Go words an element of a list otherwise than a field or a map's value.
  return `${typeof path.at(-1) === 'string' ? 'Go struct field ' : ''}${root}.${dotted} of type ${go}`;
}

function tooMany({ root, path }: Place, max: number): GantryError {
  return badJson(`${[root, ...path].join('.')} has over ${max} entries`);
}

function badJson(message: string, cause?: unknown): GantryError {
  return new GantryError('invalid', 'BAD_MANIFEST', message, { cause });
}
