// Owns the rows and headings of lists as Go values: what Docker's formatters offer to templates as methods.
import { escapeHtml, jsonOf, objectOfJson } from './go/json.ts';
import { type GoMethod, type GoType, mapOf, pointerTo, STRING } from './go/types.ts';
import { type GoValue, goString, INVALID, nativeValue, textOf } from './go/values.ts';

/** Names the Go type of a row, as errors quote it. */
export const TYPE_NAME: unique symbol = Symbol('go type name');

/** A row: values by name; functions are methods, their parameters texts. */
export type TemplateMap = { readonly [key: string]: unknown; readonly [TYPE_NAME]?: string };

type RowFunction = (...args: readonly string[]) => unknown;

/** Reading any member is a call of a method; `json` shows those without parameters. */
export function rowValue(row: TemplateMap): GoValue {
  const methods: Record<string, GoMethod> = {};
  for (const [name, member] of Object.entries(row)) methods[name] = rowMethod(member);
  const type: GoType = {
    kind: 'struct',
    name: (row[TYPE_NAME] ?? '').replace(/^\*/, ''),
    defined: true,
    fields: [],
    methods,
    json: () => rowJson(methods),
  };
  return { type: pointerTo(type), data: {} };
}

function rowMethod(member: unknown): GoMethod {
  if (typeof member !== 'function') return { params: [], call: () => memberValue(member) };
  const call = member as RowFunction;
  return {
    params: Array.from({ length: member.length }, () => STRING),
    call: (_row, args) => memberValue(call(...args.map(textOf))),
  };
}

/** Null stands for a pointer to nothing. */
const memberValue = (member: unknown): GoValue =>
  member === null ? { type: pointerTo(STRING), data: null } : nativeValue(member);

/** Sorted, with escapes for HTML. @source docker/cli formatter.MarshalJSON */
function rowJson(methods: Readonly<Record<string, GoMethod>>): string {
  const members: Record<string, string> = {};
  for (const [name, method] of Object.entries(methods)) {
    if (method.params.length === 0) members[name] = jsonOf(method.call(INVALID, []));
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
