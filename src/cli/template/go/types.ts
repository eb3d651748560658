// Owns the Go types that values of a template have: kinds, names, fields, and reading a type from its Go text.
import type { GoValue } from './values.ts';

/** What sort of value a type holds; `invalid` is the type of no value at all. */
type GoKind =
  | 'array'
  | 'bool'
  | 'complex'
  | 'float'
  | 'int'
  | 'interface'
  | 'invalid'
  | 'map'
  | 'pointer'
  | 'slice'
  | 'string'
  | 'struct'
  | 'uint';

/** A field of a struct. */
export interface GoField {
  readonly name: string;
  /** Its key in JSON; `-` when JSON leaves it out. */
  readonly key: string;
  readonly omitEmpty: boolean;
  /** Its own fields belong to the struct as well. */
  readonly embedded: boolean;
  readonly type: GoType;
}

/** A method: the types of its arguments, and what it gives. A thrown error is the method's failure. */
export interface GoMethod {
  readonly params: readonly GoType[];
  call(receiver: GoValue, args: readonly GoValue[]): GoValue;
}

/** A Go type. `name` is its text as `%T` prints it. */
export interface GoType {
  readonly kind: GoKind;
  readonly name: string;
  /** It has a name of its own, and so is never assigned to another named type. */
  readonly defined: boolean;
  /** Of arrays, maps, pointers and slices. */
  readonly elem?: GoType;
  /** Of maps. */
  readonly key?: GoType;
  /** Of arrays. */
  readonly length?: number;
  /** Of structs. */
  readonly fields?: readonly GoField[];
  readonly methods?: Readonly<Record<string, GoMethod>>;
  /** Of interfaces: what a number in JSON becomes. */
  readonly numbers?: GoType;
  /** JSON of a value, where it is not the plain one. */
  json?(data: unknown): string;
}

const basic = (kind: GoKind, name: string): GoType => ({ kind, name, defined: true });

export const INVALID_TYPE: GoType = { kind: 'invalid', name: '<nil>', defined: false };
export const BOOL: GoType = basic('bool', 'bool');
export const INT: GoType = basic('int', 'int');
export const INT64: GoType = basic('int', 'int64');
export const UINT8: GoType = basic('uint', 'uint8');
export const FLOAT64: GoType = basic('float', 'float64');
export const COMPLEX128: GoType = basic('complex', 'complex128');
export const STRING: GoType = basic('string', 'string');
/** What raw JSON numbers are: their digits, a string kind. */
const JSON_NUMBER: GoType = { ...basic('string', 'json.Number'), json: (data) => String(data ?? '0') };
export const ANY: GoType = { kind: 'interface', name: 'interface {}', defined: false, numbers: FLOAT64 };
/** As `ANY`, its numbers kept digit by digit. */
export const RAW: GoType = { kind: 'interface', name: 'interface {}', defined: false, numbers: JSON_NUMBER };
/** The parameter type of functions that take any value as it is. */
export const REFLECT_VALUE: GoType = basic('struct', 'reflect.Value');

const BASIC: Readonly<Record<string, GoType>> = Object.fromEntries(
  [
    ...[BOOL, INT, INT64, UINT8, FLOAT64, STRING, ANY],
    ...['uint', 'uint16', 'uint32', 'uint64'].map((name) => basic('uint', name)),
    ...['int8', 'int16', 'int32'].map((name) => basic('int', name)),
  ].map((type) => [type.name, type]),
);

export const sliceOf = (elem: GoType): GoType => ({ kind: 'slice', name: `[]${elem.name}`, defined: false, elem });

export const pointerTo = (elem: GoType): GoType => ({
  kind: 'pointer',
  name: `*${elem.name}`,
  defined: false,
  elem,
  ...(elem.methods === undefined ? {} : { methods: elem.methods }),
});

export const mapOf = (key: GoType, elem: GoType): GoType => ({
  kind: 'map',
  name: `map[${key.name}]${elem.name}`,
  defined: false,
  key,
  elem,
});

export const STRINGS: GoType = sliceOf(STRING);

/** Types by Go name: the other type that one is, or the lines of its fields. */
type TypeTable = ReadonlyMap<string, string | readonly string[]>;

/** Cuts the text of a table into its types; `docker-types.table.ts` tells the notation. */
export function readTypeTable(text: string): TypeTable {
  const table = new Map<string, string | string[]>();
  let fields: string[] = [];
  for (const line of text.split('\n')) {
    const [, alias, target] = /^(\S.*?) = (.+)$/.exec(line) ?? [];
    if (line.startsWith('  ')) fields.push(line.slice(2));
    else if (alias !== undefined && target !== undefined) table.set(alias, target);
    else if (line !== '') {
      fields = [];
      table.set(line, fields);
    }
  }
  return table;
}

/** Methods and JSON of named types. */
export type TypeExtras = Readonly<Record<string, Pick<GoType, 'methods' | 'json'>>>;

/** Reads types by name out of a table, each at its first use. */
export class TypeReader {
  readonly #table: TypeTable;
  readonly #extras: TypeExtras;
  readonly #known: Map<string, GoType>;

  /** `given` are types that the table does not write. */
  constructor(table: TypeTable, given: Readonly<Record<string, GoType>>, extras: TypeExtras) {
    this.#table = table;
    this.#extras = extras;
    this.#known = new Map([...Object.entries(BASIC), ...Object.entries(given)]);
  }

  /** The type that `text` writes in Go. An unknown one is a fault of the table. */
  type(text: string): GoType {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const written = this.#table.get(text);
    const type = written === undefined ? this.#composite(text) : this.#named(text, written);
    this.#known.set(text, type);
    return type;
  }

  #composite(text: string): GoType {
    if (text.startsWith('*')) return pointerTo(this.type(text.slice(1)));
    if (text.startsWith('[]')) return sliceOf(this.type(text.slice(2)));
    const [, length, item] = /^\[(\d+)\](.+)$/.exec(text) ?? [];
    if (length !== undefined && item !== undefined) {
      return { kind: 'array', name: text, defined: false, elem: this.type(item), length: Number(length) };
    }
    const [, key, elem] = /^map\[([\w.]+)\](.+)$/.exec(text) ?? [];
    if (key !== undefined && elem !== undefined) return mapOf(this.type(key), this.type(elem));
    throw new Error(`no Go type: ${text}`);
  }

  #named(name: string, written: string | readonly string[]): GoType {
    const extras = this.#extras[name] ?? {};
    const defined = !name.startsWith('struct {');
    if (typeof written === 'string') return { ...this.type(written), name, defined, ...extras };
    let fields: readonly GoField[] | undefined;
    const read = (): readonly GoField[] => written.map((line) => this.#field(line));
    return {
      kind: 'struct',
      name,
      defined,
      ...extras,
      // At first use: types may hold themselves.
      get fields() {
        fields ??= read();
        return fields;
      },
    };
  }

  #field(line: string): GoField {
    const [, plus, given, key, omit, text = ''] = /^(\+)?(?:(\w+)(?::([\w.-]+))?(\?)? )?(.+)$/.exec(line) ?? [];
    const name = given ?? text.replace(/^.*\./, '');
    return {
      name,
      key: key ?? name,
      omitEmpty: omit !== undefined,
      embedded: plus !== undefined,
      type: this.type(text),
    };
  }
}

/** The field called `name` of a struct, its own or of an embedded struct, with the types on the way. */
export function findField(type: GoType, name: string): readonly GoField[] | undefined {
  const own = type.fields?.find((field) => field.name === name);
  if (own !== undefined) return [own];
  for (const field of type.fields ?? []) {
    if (!field.embedded) continue;
    const inner = findField(field.type.kind === 'pointer' ? (field.type.elem ?? field.type) : field.type, name);
    if (inner !== undefined) return [field, ...inner];
  }
  return undefined;
}

/** Whether a value of type `from` may be passed where `to` is wanted. @source Go spec, Assignability */
export function isAssignable(from: GoType, to: GoType): boolean {
  if (from === to || (from.name === to.name && from.kind === to.kind)) return true;
  if (to.kind === 'interface') return true;
  if (from.defined && to.defined) return false;
  return underlyingText(from) === underlyingText(to);
}

function underlyingText(type: GoType): string {
  switch (type.kind) {
    case 'slice':
      return `[]${type.elem?.name}`;
    case 'array':
      return `[${type.length}]${type.elem?.name}`;
    case 'map':
      return `map[${type.key?.name}]${type.elem?.name}`;
    default:
      return type.name;
  }
}
