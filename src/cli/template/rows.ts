// Owns the rows and headings of lists as Go values: what Docker's formatters offer to templates as methods.
import { escapeHtml, jsonOf, objectOfJson } from './go/json.ts';
import { type GoMethod, type GoType, mapOf, pointerTo, STRING, sliceOf } from './go/types.ts';
import { type GoValue, goString, membersOf, nativeValue, textOf } from './go/values.ts';

/** Names the Go type of a row, as errors quote it. */
export const TYPE_NAME: unique symbol = Symbol('go type name');

/** The row that `json` shows in place of another. */
export const JSON_ROW: unique symbol = Symbol('row in JSON');

/** A row: values by name; functions are methods, their parameters texts. */
export type TemplateMap = {
  readonly [key: string]: unknown;
  readonly [TYPE_NAME]?: string;
  readonly [JSON_ROW]?: TemplateMap;
};

type RowFunction = (...args: readonly string[]) => unknown;

/** Reading any member is a call of a method; `json` shows those without parameters. */
export const rowValue = (row: TemplateMap): GoValue => ({ type: rowType(row), data: row });

/** Lists of rows as the fields of a struct; the rows of a list have one type. */
export function rowLists(name: string, lists: Readonly<Record<string, readonly TemplateMap[]>>): GoValue {
  const fields = Object.entries(lists).map(([key, rows]) => ({
    name: key,
    key,
    omitEmpty: false,
    embedded: false,
    type: sliceOf(rowType(rows[0] ?? {})),
  }));
  return { type: pointerTo({ kind: 'struct', name, defined: true, fields }), data: lists };
}

function rowType(row: TemplateMap): GoType {
  return pointerTo({
    kind: 'struct',
    name: (row[TYPE_NAME] ?? '').replace(/^\*/, ''),
    defined: true,
    fields: [],
    methods: Object.fromEntries(Object.entries(row).map(([name, member]) => [name, rowMethod(name, member)])),
    json: (data) => rowJson(data as TemplateMap),
  });
}

function rowMethod(name: string, member: unknown): GoMethod {
  const arity = typeof member === 'function' ? member.length : 0;
  return {
    params: Array.from({ length: arity }, () => STRING),
    call: (row, args) => read(membersOf(row)[name], args.map(textOf)),
  };
}

function read(member: unknown, args: readonly string[]): GoValue {
  return memberValue(typeof member === 'function' ? (member as RowFunction)(...args) : member);
}

/** Null stands for a pointer to nothing. */
const memberValue = (member: unknown): GoValue =>
  member === null ? { type: pointerTo(STRING), data: null } : nativeValue(member);

/** Sorted, with escapes for HTML. @source docker/cli formatter.MarshalJSON */
function rowJson(row: TemplateMap): string {
  const members: Record<string, string> = {};
  for (const [name, member] of Object.entries(row[JSON_ROW] ?? row)) {
    if (typeof member !== 'function' || member.length === 0) members[name] = jsonOf(read(member, []));
  }
  return escapeHtml(objectOfJson(members));
}

const HEADING_TYPE: GoType = {
  ...mapOf(STRING, STRING),
  name: 'formatter.SubHeaderContext',
  defined: true,
  methods: {
    Label: { params: [STRING], call: (_headings, [name]) => goString(name === undefined ? '' : textOf(name)) },
  },
};

/** The headings of a table by field; `.Label "x"` gives its argument. */
export const headingValue = (headings: Readonly<Record<string, string>>): GoValue => ({
  type: HEADING_TYPE,
  data: headings,
});
