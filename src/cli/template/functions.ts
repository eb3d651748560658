// Owns the functions that templates may call: Go's own and Docker's. Pure.
import { goSprintf, isMap, isTrue, jsonText, MISSING, printValue, resolve, typeName } from './values.ts';

/** A function of a template; it throws a plain error in Go's words. */
export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** By name. `and` and `or` are evaluated by the interpreter, which stops early; here they take all arguments. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (...args) => args.find((arg) => isTrue(arg)) ?? args.at(-1),
  not: (arg) => !isTrue(arg),
  eq: (first, ...others) => others.some((other) => equal(first, other)),
  ne: (first, second) => !equal(first, second),
  lt: (first, second) => compare(first, second) < 0,
  le: (first, second) => compare(first, second) <= 0,
  gt: (first, second) => compare(first, second) > 0,
  ge: (first, second) => compare(first, second) >= 0,
  len: (arg) => lengthOf(arg),
  index: (arg, ...keys) => keys.reduce(indexOne, arg),
  slice: (arg, from, to) => sliceOf(arg, from, to),
  print: (...args) => args.map(printValue).join(''),
  println: (...args) => `${args.map(printValue).join(' ')}\n`,
  printf: (format, ...args) => goSprintf(textOf(format), args),
  html: (arg) => printValue(arg).replace(/[&<>"']/g, (char) => HTML_ESCAPES[char] ?? char),
  urlquery: (arg) => encodeURIComponent(printValue(arg)).replaceAll('%20', '+'),
  json: (arg) => jsonText(arg),
  split: (text, separator) => textOf(text).split(textOf(separator)),
  join: (list, separator) => joinList(list, separator),
  lower: (text) => textOf(text).toLowerCase(),
  upper: (text) => textOf(text).toUpperCase(),
  title: (text) =>
    textOf(text).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_w, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  pad: (text, before, after) => padded(textOf(text), before, after),
  truncate: (text, length) => [...textOf(text)].slice(0, Number(length)).join(''),
};

/** Names for the parser. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(Object.keys(FUNCTIONS));

/** In a table's heading line these leave their argument as it is. @source docker/cli templates.HeaderFunctions */
export const HEADING_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...FUNCTIONS,
  json: (text) => text,
  title: (text) => text,
  lower: (text) => text,
  upper: (text) => text,
  truncate: (text) => text,
  split: (text) => text,
  join: (text) => text,
  pad: (text, before, after) => padded(textOf(text), before, after),
};

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === MISSING) return '';
  throw new Error(`wrong type for value; expected string; got ${typeName(value)}`);
}

function padded(text: string, before: unknown, after: unknown): string {
  return text === '' ? text : ' '.repeat(Number(before)) + text + ' '.repeat(Number(after));
}

function joinList(list: unknown, separator: unknown): string {
  if (list === null || list === undefined || list === MISSING) return '';
  if (!Array.isArray(list)) throw new Error(`wrong type for value; expected []string; got ${typeName(list)}`);
  return list.map(printValue).join(textOf(separator));
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  if (value === MISSING) return 0;
  if (value === null || value === undefined) throw new Error('error calling len: len of nil pointer');
  throw new Error(`error calling len: len of type ${typeName(value)}`);
}

function indexOne(container: unknown, key: unknown): unknown {
  if (container === null || container === undefined || container === MISSING) {
    throw new Error('error calling index: index of untyped nil');
  }
  if (typeof container === 'string' || Array.isArray(container)) {
    const at = Number(key);
    if (!Number.isInteger(at))
      throw new Error(`error calling index: cannot index slice/array with type ${typeName(key)}`);
    if (at < 0 || at >= container.length) throw new Error(`error calling index: index out of range: ${at}`);
    return typeof container === 'string' ? container.charCodeAt(at) : (container[at] as unknown);
  }
  if (isMap(container)) {
    const name = String(key);
    return Object.hasOwn(container, name) ? resolve(container[name]) : MISSING;
  }
  throw new Error(`error calling index: can't index item of type ${typeName(container)}`);
}

function sliceOf(value: unknown, from: unknown, to: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw new Error(`error calling slice: can't slice item of type ${typeName(value)}`);
  }
  const start = Number(from ?? 0);
  const end = Number(to ?? value.length);
  if (end > value.length || start > end) throw new Error(`error calling slice: index out of range: ${end}`);
  return value.slice(start, end);
}

function equal(left: unknown, right: unknown): boolean {
  const a = left === MISSING ? '' : left;
  const b = right === MISSING ? '' : right;
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a === 'object') throw new Error('error calling eq: non-comparable type');
  if (isNumber(a) && isNumber(b))
    return BigInt(Math.trunc(Number(a))) === BigInt(Math.trunc(Number(b))) && Number(a) === Number(b);
  if (typeof a !== typeof b) throw new Error('error calling eq: incompatible types for comparison');
  return a === b;
}

function compare(left: unknown, right: unknown): number {
  if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  throw new Error('error calling lt: incompatible types for comparison');
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
