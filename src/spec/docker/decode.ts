// Owns request bodies: JSON text in, a body with the schema's field names and types out, with Go's errors. Fills no defaults.

import { GantryError } from '../../lib/errors.ts';
import { BODIES, FIELDS, POINTERS, PRIMITIVES, STRING_OR_ARRAY, STRUCTS } from './decode-go-types.ts';
import { scanJson, skipSpace } from './decode-json.ts';
import schemaJson from './schema.json' with { type: 'json' };
import type * as Docker from './types.gen.ts';

/** The bodies that can be decoded, by schema name. */
export interface BodyTypes {
  ContainerCreateRequest: Docker.ContainerCreateRequest;
  ContainerUpdateRequest: Docker.ContainerUpdateRequest;
  ExecCreateRequest: Docker.ExecCreateRequest;
  ExecStartRequest: Docker.ExecStartRequest;
  VolumeCreateOptions: Docker.VolumeCreateOptions;
  NetworkCreateRequest: Docker.NetworkCreateRequest;
  NetworkConnectRequest: Docker.NetworkConnectRequest;
  NetworkDisconnectRequest: Docker.NetworkDisconnectRequest;
  AuthConfig: Docker.AuthConfig;
}

export type BodyName = keyof BodyTypes;

type Type =
  | { readonly kind: 'string' | 'boolean' | 'any' | 'strslice'; readonly go: string }
  | { readonly kind: 'number'; readonly go: string; readonly min: number; readonly max: number }
  | { readonly kind: 'array'; readonly go: string; readonly element: Type }
  | { readonly kind: 'map'; readonly go: string; readonly element: Type }
  | { readonly kind: 'struct'; readonly go: string; readonly fields: () => StructFields };

interface StructFields {
  readonly exact: ReadonlyMap<string, Type>;
  /** Lower-case name → schema name. */
  readonly folded: ReadonlyMap<string, string>;
}

/** A number as it was written, so that errors quote it and `1e3` is no integer. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const SCHEMAS = schemaJson as Readonly<
  Record<string, { readonly fields?: Readonly<Record<string, string>>; readonly is?: string }>
>;
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int: [-(2 ** 63), 2 ** 63 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1],
  'time.Duration': [-(2 ** 63), 2 ** 63 - 1],
  uint: [0, 2 ** 64 - 1],
  uint64: [0, 2 ** 64 - 1],
  uint32: [0, 2 ** 32 - 1],
  'fs.FileMode': [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint8: [0, 255],
};
const FRACTION_OR_EXPONENT = /[[,:]\s*-?\d+[.eE]/;

/**
 * Decodes `text` as Go would: field names in any case, unknown fields ignored, null and absent alike; undefined for an empty text.
 * Numbers beyond 2^53 lose precision. @throws INVALID_JSON with Docker's text.
 * @source dockerd 28.5.2 built with go1.27: POST bodies with wrong types
 */
export function decodeBody<N extends BodyName>(name: N, text: string): BodyTypes[N] | undefined {
  let value: unknown;
  try {
    value = FRACTION_OR_EXPONENT.test(text) ? parseExact(text) : JSON.parse(text);
  } catch {
    return decodeSlowly(name, text);
  }
  try {
    return decodeRoot(name, value);
  } catch (error) {
    if (error instanceof NumberFault) return decodeRoot(name, parseExact(text));
    throw error;
  }
}

/** For texts that are not one JSON value: finds Go's word for what is wrong with them. */
function decodeSlowly<N extends BodyName>(name: N, text: string): BodyTypes[N] | undefined {
  const scan = scanJson(text);
  if (scan.kind === 'empty') return undefined;
  if (scan.kind === 'error') throw invalidJson(scan.message);
  const rest = skipSpace(text, scan.end);
  const value = decodeRoot(name, parseExact(text.slice(0, scan.end)));
  if (rest < text.length) throw new GantryError('invalid', 'TRAILING_JSON', 'unexpected content after JSON');
  return value;
}

function parseExact(text: string): unknown {
  const keepSource = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value;
  return JSON.parse(text, keepSource as (key: string, value: unknown) => unknown);
}

function decodeRoot<N extends BodyName>(name: N, value: unknown): BodyTypes[N] {
  const type = structType(name, BODIES[name].type);
  const place = { prefix: BODIES[name].prefix, path: [] };
  return (decodeValue(type, value ?? {}, place) ?? {}) as BodyTypes[N];
}

/** Where decoding is, for errors: keys and list positions from the root. One mutable path per decoding. */
interface Place {
  readonly prefix: string;
  readonly path: (string | number)[];
}

function decodeValue(type: Type, value: unknown, place: Place): unknown {
  if (value === null || value === undefined) return undefined;
  switch (type.kind) {
    case 'any':
      return plain(value);
    case 'string':
      return typeof value === 'string' ? value : fail(value, type, place);
    case 'boolean':
      return typeof value === 'boolean' ? value : fail(value, type, place);
    case 'number':
      return decodeNumber(type, value, place);
    case 'strslice':
      return decodeStrings(value);
    case 'array':
      if (!Array.isArray(value)) return fail(value, type, place);
      return value.map((item, index) => decodeBelow(type.element, item, index, place) ?? zeroOf(type.element));
    case 'map':
      return decodeMap(type, value, place);
    case 'struct':
      return decodeStruct(type, value, place);
  }
}

/** `decodeValue` one step further down. */
function decodeBelow(type: Type, value: unknown, key: string | number, place: Place): unknown {
  place.path.push(key);
  const decoded = decodeValue(type, value, place);
  place.path.pop();
  return decoded;
}

function zeroOf(type: Type): unknown {
  if (type.kind === 'string') return '';
  if (type.kind === 'number') return 0;
  if (type.kind === 'boolean') return false;
  if (type.kind === 'array' || type.kind === 'strslice') return [];
  return type.kind === 'any' ? null : {};
}

function decodeNumber(type: Type & { kind: 'number' }, value: unknown, place: Place): number {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= type.min && value <= type.max && Math.abs(value) < 2 ** 63) return value;
    throw new NumberFault();
  }
  if (!(value instanceof NumberText)) return fail(value, type, place);
  const number = Number(value.text);
  if (!/^-?\d+$/.test(value.text) || !inRange(value.text, type)) {
    throw invalidJson(`json: cannot unmarshal number ${value.text} into ${whereText(type, place)}`);
  }
  return number;
}

/** Asks for a second decoding with the numbers' own texts. */
class NumberFault extends Error {}

function inRange(text: string, type: Type & { kind: 'number' }): boolean {
  // More digits than 64 bits have: no need to read millions of them.
  if (/[1-9]\d{20}/.test(text)) return false;
  const number = BigInt(text);
  if (number < BigInt(type.min)) return false;
  // The upper bounds of 63 and 64 bits round up as doubles; one below them is the last good value.
  const max = type.max >= 2 ** 53 ? BigInt(type.max) - 1n : BigInt(type.max);
  return number <= max;
}

function decodeMap(type: Type & { kind: 'map' }, value: unknown, place: Place): unknown {
  if (!isObject(value)) return fail(value, type, place);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const decoded = decodeBelow(type.element, item, key, place);
    // A null list in a map is a request of its own (PortBindings); other nulls are zero values.
    const kept = decoded === undefined && type.element.kind !== 'array' ? zeroOf(type.element) : (decoded ?? null);
    Object.defineProperty(result, key, { value: kept, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

function decodeStruct(type: Type & { kind: 'struct' }, value: unknown, place: Place): unknown {
  if (!isObject(value)) return fail(value, type, place);
  const fields = type.fields();
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === null) continue;
    const name = fields.exact.has(key) ? key : fields.folded.get(key.toLowerCase());
    const field = name === undefined ? undefined : fields.exact.get(name);
    if (name === undefined || field === undefined) continue;
    const decoded = decodeBelow(field, item, key, place);
    if (decoded !== undefined) result[name] = decoded;
  }
  return result;
}

/** Docker's StrSlice: one string or an array; its errors carry no path. */
function decodeStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalidJson(`json: cannot unmarshal ${kindOf(value)} into Go value of type string`);
}

function fail(value: unknown, type: Type, place: Place): never {
  throw invalidJson(`json: cannot unmarshal ${kindOf(value)} into ${whereText(type, place)}`);
}

function whereText(type: Type, { prefix, path }: Place): string {
  if (path.length === 0) return `Go value of type ${type.go}`;
  const dotted = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('.');
  // Go words an element of a list otherwise than a field or a map's value.
  const field = typeof path.at(-1) === 'string' ? 'Go struct field ' : '';
  return `${field}${prefix}.${dotted} of type ${type.go}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' || value instanceof NumberText) return 'number';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'object';
}

function plain(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

function invalidJson(detail: string): GantryError {
  return new GantryError('invalid', 'INVALID_JSON', `invalid JSON: ${detail}`);
}

const structs = new Map<string, Type & { kind: 'struct' }>();

function structType(name: string, go: string): Type & { kind: 'struct' } {
  const known = structs.get(name);
  if (known) return known;
  let fields: StructFields | undefined;
  const type = { kind: 'struct', go, fields: () => (fields ??= fieldsOf(name)) } as const;
  structs.set(name, type);
  return type;
}

function fieldsOf(name: string): StructFields {
  const exact = new Map<string, Type>();
  const folded = new Map<string, string>();
  for (const [field, marked] of Object.entries(SCHEMAS[name]?.fields ?? {})) {
    exact.set(field, fieldType(`${name}.${field}`, marked.replace(/[!?]+$/, '')));
    folded.set(field.toLowerCase(), field);
  }
  return { exact, folded };
}

function fieldType(place: string, text: string): Type {
  if (STRING_OR_ARRAY.has(place)) return { kind: 'strslice', go: 'string' };
  const type = parseType(text, FIELDS[place]);
  return type;
}

function parseType(text: string, goName?: string): Type {
  if (text.startsWith('array<')) {
    const element = parseType(text.slice(6, -1), goName === '[2]uint' ? 'uint' : undefined);
    return { kind: 'array', go: goName ?? `[]${pointerTo(text.slice(6, -1))}${element.go}`, element };
  }
  if (text.startsWith('map<string,')) {
    const word = text.slice('map<string,'.length, -1);
    const element = parseType(word);
    return { kind: 'map', go: goName ?? `map[string]${pointerTo(word)}${element.go}`, element };
  }
  const word = text.split(':')[0] ?? text;
  if (word === 'strslice') return { kind: 'strslice', go: 'string' };
  if (word === 'string') return { kind: 'string', go: goName ?? 'string' };
  if (word === 'boolean') return { kind: 'boolean', go: 'bool' };
  if (word === 'any') return { kind: 'any', go: 'interface {}' };
  if (word === 'object') return { kind: 'struct', go: goName ?? 'struct {}', fields: () => NO_FIELDS };
  const primitive = PRIMITIVES[word];
  if (primitive !== undefined) return numberType(goName ?? primitive);
  if (word === 'PortMap') return portMapType();
  const alias = SCHEMAS[word]?.is;
  return alias === undefined ? structType(word, STRUCTS[word] ?? word) : parseType(alias, goName);
}

/** Docker keeps some structs in lists and maps by pointer, and Go's words show it. */
function pointerTo(schema: string): string {
  return POINTERS.has(schema) ? '*' : '';
}

const NO_FIELDS: StructFields = { exact: new Map(), folded: new Map() };

function numberType(go: string): Type {
  const [min, max] = RANGES[go] ?? [-(2 ** 63), 2 ** 63 - 1];
  return { kind: 'number', go, min, max };
}

function portMapType(): Type {
  const bindings: Type = {
    kind: 'array',
    go: '[]nat.PortBinding',
    element: structType('PortBinding', 'nat.PortBinding'),
  };
  return { kind: 'map', go: 'nat.PortMap', element: bindings };
}
