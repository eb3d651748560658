// Owns Go values: JSON data seen through a Go type. Absent data is the type's zero value. Prints nothing.
import { ANY, BOOL, FLOAT64, findField, type GoType, INT, INVALID_TYPE, mapOf, RAW, STRING, sliceOf } from './types.ts';

/**
 * A value. `data` by kind: JSON's own for booleans, numbers (`bigint` past 53 bits), strings, lists, objects (structs keep
 * JSON's keys); of a pointer what it points to, null for nil; of an interface the `GoValue` in it, null for nil.
 */
export interface GoValue {
  readonly type: GoType;
  readonly data: unknown;
}

/** An object with its keys. */
export type Members = Readonly<Record<string, unknown>>;

/** No value: what a missing map key gives, prints as `<no value>`. */
export const INVALID: GoValue = { type: INVALID_TYPE, data: undefined };

export const goBool = (data: boolean): GoValue => ({ type: BOOL, data });
export const goInt = (data: number): GoValue => ({ type: INT, data });
export const goString = (data: string): GoValue => ({ type: STRING, data });

export const isValid = (value: GoValue): boolean => value.type.kind !== 'invalid';

/** `data` of type `type`, as JSON has it. */
export function typedValue(type: GoType, data: unknown): GoValue {
  if (type.kind !== 'interface') return { type, data };
  return { type, data: data === null || data === undefined ? null : dynamicValue(data, type) };
}

/** What Go decodes JSON data into when no type is given. */
function dynamicValue(data: unknown, within: GoType): GoValue {
  const { numbers = FLOAT64 } = within;
  if (typeof data === 'number' || typeof data === 'bigint') {
    return { type: numbers, data: numbers.kind === 'string' ? String(data) : Number(data) };
  }
  if (typeof data === 'boolean') return goBool(data);
  if (typeof data === 'string') return goString(data);
  if (Array.isArray(data)) return { type: sliceOf(within), data };
  return { type: mapOf(STRING, within), data };
}

/** Data of no known type, its numbers digit by digit. */
export const rawValue = (data: unknown): GoValue => unwrap(typedValue(RAW, data));

/** A plain JavaScript value as the Go value that it stands for. */
export function nativeValue(value: unknown): GoValue {
  if (value === null || value === undefined) return INVALID;
  if (typeof value === 'number') return Number.isInteger(value) ? goInt(value) : { type: FLOAT64, data: value };
  if (typeof value === 'boolean') return goBool(value);
  if (typeof value === 'string') return goString(value);
  if (Array.isArray(value)) return { type: sliceOf(STRING), data: value };
  return { type: mapOf(STRING, ANY), data: value };
}

/** What an interface holds; any other value itself. */
export function unwrap(value: GoValue): GoValue {
  if (value.type.kind !== 'interface') return value;
  return (value.data as GoValue | null) ?? INVALID;
}

/** Follows pointers and interfaces; stops at a nil one. */
export function indirect(value: GoValue): { readonly value: GoValue; readonly isNil: boolean } {
  let current = value;
  for (;;) {
    const { kind, elem } = current.type;
    if (kind !== 'pointer' && kind !== 'interface') return { value: current, isNil: false };
    if (current.data === null || current.data === undefined) return { value: current, isNil: true };
    current = kind === 'interface' ? (current.data as GoValue) : typedValue(elem ?? ANY, current.data);
  }
}

/** A value of kind pointer, map, slice or interface that holds nothing. */
export function isNil(value: GoValue): boolean {
  const { kind } = value.type;
  if (kind === 'invalid') return true;
  const canBeNil = kind === 'pointer' || kind === 'map' || kind === 'slice' || kind === 'interface';
  return canBeNil && (value.data === null || value.data === undefined);
}

/** The members of a struct or map. */
export function membersOf(value: GoValue): Members {
  return typeof value.data === 'object' && value.data !== null ? (value.data as Members) : {};
}

/** The items of a list. */
export function itemsOf(value: GoValue): readonly unknown[] {
  if (Array.isArray(value.data)) return value.data as readonly unknown[];
  // Go decodes a bare text into a one-item list where Docker's API always took both.
  if (typeof value.data === 'string') {
    if (value.type.elem?.kind === 'uint') return [...Buffer.from(value.data, 'base64')];
    return value.data === '' ? [] : [value.data];
  }
  return Array.from({ length: value.type.length ?? 0 }, () => undefined);
}

/** The item at `index` of a list. */
export const itemAt = (value: GoValue, index: number): GoValue =>
  typedValue(value.type.elem ?? ANY, itemsOf(value)[index]);

/** The value under `key` of a map, INVALID when it is absent. */
export function entryOf(value: GoValue, key: string): GoValue {
  const members = membersOf(value);
  return Object.hasOwn(members, key) ? typedValue(value.type.elem ?? ANY, members[key]) : INVALID;
}

/** The keys of a map in Go's order. */
export function keysOf(value: GoValue): readonly string[] {
  return Object.keys(membersOf(value)).sort(compareBytes);
}

/** Go compares texts by their bytes. */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** A field of a struct; undefined when its type has none of that name. */
export function fieldOf(value: GoValue, name: string): GoValue | undefined {
  const path = findField(value.type, name);
  if (path === undefined) return undefined;
  let members = membersOf(value);
  let current: GoValue = value;
  for (const field of path) {
    const data = field.embedded ? members : members[field.key];
    current = typedValue(field.type, data);
    members = membersOf(current);
  }
  return current;
}

/** Bytes and items of what has a length; undefined for other kinds. */
export function lengthOf(value: GoValue): number | undefined {
  switch (value.type.kind) {
    case 'string':
      return Buffer.byteLength(textOf(value));
    case 'slice':
    case 'array':
      return itemsOf(value).length;
    case 'map':
      return Object.keys(membersOf(value)).length;
    default:
      return undefined;
  }
}

/** The text of a string value. */
export const textOf = (value: GoValue): string => (typeof value.data === 'string' ? value.data : '');

/** The number of an integer or float value. */
export function numberOf(value: GoValue): number | bigint {
  return typeof value.data === 'number' || typeof value.data === 'bigint' ? value.data : 0;
}

/** Whether `if` takes the value; undefined when it cannot tell. @source Go text/template IsTrue */
export function isTrue(value: GoValue): boolean {
  const inner = unwrap(value);
  switch (inner.type.kind) {
    case 'invalid':
      return false;
    case 'bool':
      return inner.data === true;
    case 'int':
    case 'uint':
    case 'float':
      return Number(numberOf(inner)) !== 0;
    case 'complex':
      return complexOf(inner).some((part) => part !== 0);
    case 'struct':
      return true;
    case 'pointer':
    case 'interface':
      return !isNil(inner);
    default:
      return (lengthOf(inner) ?? 0) > 0;
  }
}

/** Real and imaginary part. */
export const complexOf = (value: GoValue): readonly [number, number] =>
  Array.isArray(value.data) ? (value.data as [number, number]) : [0, 0];
