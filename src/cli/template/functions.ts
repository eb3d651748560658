// Owns the functions that templates may call: Go's own and Docker's, with the types of their arguments.
import { and, compareValues, eachEqual, indexValue, lengthValue, nonFunction, sliceValue } from './builtins.ts';
import { escapeHtmlText, escapeJs, escapeQuery } from './escape.ts';
import { sprintf } from './go/format.ts';
import { jsonOf } from './go/json.ts';
import { sprint, sprintln } from './go/print.ts';
import { bytesOf, sliceBytes } from './go/text.ts';
import { ANY, type GoType, INT, REFLECT_VALUE, STRING, STRINGS } from './go/types.ts';
import { type GoValue, goBool, goString, isTrue, isValid, itemsOf, numberOf, textOf } from './go/values.ts';

/** A function of a template; a plain error that it throws is reported in Go's words. */
export interface TemplateFunction {
  readonly params: readonly GoType[];
  /** The type of any further arguments; undefined when there may be none. */
  readonly rest: GoType | undefined;
  /** `callee` is how the first argument is written. */
  call(args: readonly GoValue[], callee: string): GoValue;
}

type Functions = Readonly<Record<string, TemplateFunction>>;

const fixed = (params: readonly GoType[], call: TemplateFunction['call']): TemplateFunction => ({
  params,
  rest: undefined,
  call,
});

const variadic = (params: readonly GoType[], rest: GoType, call: TemplateFunction['call']): TemplateFunction => ({
  params,
  rest,
  call,
});

/** All arguments as one text, as an action would print them. */
const joined = (args: readonly GoValue[]): string => sprint(args.map(asPrinted));

const asPrinted = (value: GoValue): GoValue => (isValid(value) ? value : goString('<no value>'));

const ordered = (name: string, holds: (order: number) => boolean): TemplateFunction =>
  fixed([REFLECT_VALUE, REFLECT_VALUE], ([left, right]) => goBool(holds(compareValues(name, left, right))));

/** Go's own. @source Go text/template */
const BUILTINS: Functions = {
  and: variadic([REFLECT_VALUE], REFLECT_VALUE, and),
  or: variadic([REFLECT_VALUE], REFLECT_VALUE, and),
  call: variadic([REFLECT_VALUE], REFLECT_VALUE, ([fn], callee) => nonFunction(fn, callee)),
  eq: variadic([REFLECT_VALUE], REFLECT_VALUE, (args) => goBool(eachEqual(args))),
  ne: fixed([REFLECT_VALUE, REFLECT_VALUE], (args) => goBool(!eachEqual(args))),
  lt: ordered('lt', (order) => order < 0),
  le: ordered('le', (order) => order <= 0),
  gt: ordered('gt', (order) => order > 0),
  ge: ordered('ge', (order) => order >= 0),
  not: fixed([REFLECT_VALUE], ([value]) => goBool(value === undefined || !isTrue(value))),
  len: fixed([REFLECT_VALUE], ([value]) => lengthValue(value)),
  index: variadic([REFLECT_VALUE], REFLECT_VALUE, indexValue),
  slice: variadic([REFLECT_VALUE], REFLECT_VALUE, sliceValue),
  html: variadic([], ANY, (args) => goString(escapeHtmlText(joined(args)))),
  js: variadic([], ANY, (args) => goString(escapeJs(joined(args)))),
  urlquery: variadic([], ANY, (args) => goString(escapeQuery(joined(args)))),
  print: variadic([], ANY, (args) => goString(sprint(args))),
  println: variadic([], ANY, (args) => goString(sprintln(args))),
  printf: variadic([STRING], ANY, ([format, ...args]) => goString(sprintf(text(format), args))),
};

const text = (value: GoValue | undefined): string => (value === undefined ? '' : textOf(value));
const count = (value: GoValue | undefined): number => (value === undefined ? 0 : Number(numberOf(value)));

/** By name. @source Go text/template; docker 28.2.2 templates.basicFunctions */
export const FUNCTIONS: Functions = {
  ...BUILTINS,
  json: fixed([ANY], ([value]) => goString(value === undefined ? 'null' : jsonOf(value))),
  split: fixed([STRING, STRING], ([whole, separator]) => ({
    type: STRINGS,
    data: splitText(text(whole), text(separator)),
  })),
  join: fixed([STRINGS, STRING], ([list, separator]) =>
    goString((list === undefined ? [] : itemsOf(list)).join(text(separator))),
  ),
  lower: fixed([STRING], ([value]) => goString(eachChar(text(value), (char) => char.toLowerCase()))),
  upper: fixed([STRING], ([value]) => goString(eachChar(text(value), (char) => char.toUpperCase()))),
  title: fixed([STRING], ([value]) => goString(titleCase(text(value)))),
  pad: fixed([STRING, INT, INT], ([value, before, after]) =>
    goString(padded(text(value), count(before), count(after))),
  ),
  truncate: fixed([STRING, INT], ([value, length]) => goString(truncated(text(value), count(length)))),
};

/** Names for the parser. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(Object.keys(FUNCTIONS));

const asIs = (...params: readonly GoType[]): TemplateFunction => fixed(params, ([value]) => goString(text(value)));

/** In a table's heading line these leave their argument as it is. @source docker/cli templates.HeaderFunctions */
export const HEADING_FUNCTIONS: Functions = {
  ...FUNCTIONS,
  json: asIs(STRING),
  title: asIs(STRING),
  lower: asIs(STRING),
  upper: asIs(STRING),
  truncate: asIs(STRING, INT),
  split: fixed([STRING, STRING], ([value]) => goString(text(value))),
  join: fixed([STRING, STRING], ([value]) => goString(text(value))),
};

/** @source Go strings.Split */
function splitText(whole: string, separator: string): string[] {
  return separator === '' ? [...whole] : whole.split(separator);
}

/** Characters changed one by one: those that would become several stay. @source Go unicode.ToUpper */
function eachChar(whole: string, change: (char: string) => string): string {
  return [...whole]
    .map((char) => {
      const changed = char === 'İ' ? 'i' : change(char);
      return [...changed].length === 1 ? changed : char;
    })
    .join('');
}

/** A capital at the start of each word. @source Go strings.Title */
function titleCase(whole: string): string {
  let before = ' ';
  return eachChar(whole, (char) => {
    const isStart = /^(?:[\0-\x7f]|\s)$/u.test(before) && !/^[A-Za-z0-9_]$/.test(before);
    before = char;
    return isStart ? char.toUpperCase() : char;
  });
}

function padded(whole: string, before: number, after: number): string {
  if (whole === '') return whole;
  if (before < 0 || after < 0) throw new Error('strings: negative Repeat count');
  return ' '.repeat(before) + whole + ' '.repeat(after);
}

/** The first bytes. @source docker/cli templates.truncateWithLength */
function truncated(whole: string, length: number): string {
  if (bytesOf(whole).length < length) return whole;
  if (length < 0) throw new Error(`runtime error: slice bounds out of range [:${length}]`);
  return sliceBytes(whole, 0, length);
}
