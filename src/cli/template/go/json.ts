// Owns the JSON of Go values, as Go's encoder writes it for their types.
import { jsonFloat } from './numbers.ts';
import { ANY } from './types.ts';
import {
  compareBytes,
  type GoValue,
  isNil,
  isTrue,
  itemAt,
  itemsOf,
  keysOf,
  lengthOf,
  membersOf,
  numberOf,
  textOf,
  typedValue,
  unwrap,
} from './values.ts';

/**
 * `value` in JSON, without escapes for HTML.
 * @throws Error in Go's words for what JSON does not have
 * @source Go encoding/json
 */
export function jsonOf(value: GoValue): string {
  if (value.type.json !== undefined && !(value.type.kind === 'pointer' && isNil(value))) {
    return value.type.json(value.data);
  }
  switch (value.type.kind) {
    case 'invalid':
      return 'null';
    case 'bool':
      return String(value.data === true);
    case 'int':
    case 'uint':
      return String(numberOf(value));
    case 'float':
      return jsonFloat(Number(numberOf(value)));
    case 'string':
      return jsonString(textOf(value));
    case 'interface':
      return isNil(value) ? 'null' : jsonOf(unwrap(value));
    case 'pointer':
      return isNil(value) ? 'null' : jsonOf(typedValue(value.type.elem ?? ANY, value.data));
    case 'map':
      if (isNil(value)) return 'null';
      return object(keysOf(value).map((key) => [key, typedValue(value.type.elem ?? ANY, membersOf(value)[key])]));
    case 'struct':
      return object(structMembers(value));
    case 'slice':
    case 'array':
      return listJson(value);
    case 'complex':
      throw new Error(`json: unsupported type: ${value.type.name}`);
  }
}

/** A text in JSON. */
export function jsonString(text: string): string {
  return JSON.stringify(text)
    .replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
    .replace(/\\ud[c-f][0-9a-f]{2}/g, '\\ufffd');
}

/** In JSON these characters can only stand inside texts. */
export const escapeHtml = (json: string): string =>
  json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

function listJson(value: GoValue): string {
  if (value.type.kind === 'slice' && isNil(value)) return 'null';
  if (value.type.elem?.name === 'uint8')
    return JSON.stringify(Buffer.from(itemsOf(value) as number[]).toString('base64'));
  return `[${itemsOf(value)
    .map((_item, at) => jsonOf(itemAt(value, at)))
    .join(',')}]`;
}

function object(members: readonly (readonly [string, GoValue])[]): string {
  return `{${members.map(([key, member]) => `${jsonString(key)}:${jsonOf(member)}`).join(',')}}`;
}

function structMembers(value: GoValue): (readonly [string, GoValue])[] {
  const members = membersOf(value);
  return (value.type.fields ?? []).flatMap((field) => {
    if (field.embedded) return structMembers(embeddedStruct(typedValue(field.type, members)));
    if (field.key === '-' || !/^[A-Z]/.test(field.name)) return [];
    const member = typedValue(field.type, members[field.key]);
    return field.omitEmpty && isEmpty(member) ? [] : [[field.key, member] as const];
  });
}

const embeddedStruct = (value: GoValue): GoValue =>
  value.type.kind === 'pointer' ? typedValue(value.type.elem ?? ANY, value.data) : value;

/** What `omitempty` leaves out: false, zero, nil, and what has no items. */
function isEmpty(value: GoValue): boolean {
  const { kind } = value.type;
  if (kind === 'struct') return false;
  if (kind === 'pointer' || kind === 'interface') return isNil(value);
  return lengthOf(value) === undefined ? !isTrue(value) : lengthOf(value) === 0;
}

/** JSON of a map whose members are given as JSON, keys in Go's order. */
export function objectOfJson(members: Readonly<Record<string, string>>): string {
  const keys = Object.keys(members).sort(compareBytes);
  return `{${keys.map((key) => `${jsonString(key)}:${members[key]}`).join(',')}}`;
}
