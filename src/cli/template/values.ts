// Owns how template values print, count, and turn into JSON, after Go's rules. Pure.
import { goQuote } from '../grammar/go-text.ts';

/** Names the Go type that error texts quote. An object with it has only the fields it shows. */
export const TYPE_NAME: unique symbol = Symbol('go type name');

/** A map whose values are read by key; functions among the values are methods. */
export type TemplateMap = { readonly [key: string]: unknown; readonly [TYPE_NAME]?: string };

/** What looking up an absent map key gives: prints as nothing. */
export const MISSING: unique symbol = Symbol('missing');

/** A list that is null: it has no items, and JSON shows null. */
export const NIL_LIST: readonly unknown[] = Object.freeze([]);

/** A map that is null: it has no keys, and JSON shows null. */
export const NIL_MAP: TemplateMap = Object.freeze({});

/** True for anything with fields. */
export function isMap(value: unknown): value is TemplateMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go's truth: everything but zero, empty and nil. */
export function isTrue(value: unknown): boolean {
  if (value === MISSING || value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return value[TYPE_NAME] !== undefined || Object.keys(value).length > 0;
  return Boolean(value);
}

/** The value as `%v` prints it. */
export function printValue(value: unknown): string {
  if (value === MISSING) return '';
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printValue).join(' ')}]`;
  if (typeof value === 'number' && !Number.isInteger(value)) return printFloat(value);
  if (!isMap(value)) return String(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${printValue(resolve(value[key]))}`);
  return `map[${entries.join(' ')}]`;
}

function printFloat(value: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return exponent < -4 || exponent >= 21 ? value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2') : String(value);
}

/** A method without arguments becomes its result. */
export function resolve(value: unknown): unknown {
  return typeof value === 'function' ? (value() as unknown) : value;
}

/**
 * The value as Go's encoder writes it; methods of a row are called, in sorted order, and its texts get HTML escapes.
 * Large integers keep every digit.
 */
export function jsonText(value: unknown): string {
  if (value === MISSING) return '""';
  if (value === null || value === undefined || value === NIL_LIST || value === NIL_MAP) return 'null';
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value === 'bigint') return value.toString();
  if (!isMap(value)) return JSON.stringify(value);
  const isRow = value[TYPE_NAME] !== undefined;
  const keys = isRow ? Object.keys(value).sort() : Object.keys(value);
  const members: string[] = [];
  for (const key of keys) {
    const member = value[key];
    if (typeof member === 'function' && member.length > 0) continue;
    members.push(`${JSON.stringify(key)}:${jsonText(resolve(member))}`);
  }
  const text = `{${members.join(',')}}`;
  return isRow ? escapeHtml(text) : text;
}

/** In JSON these characters can only stand inside texts. */
function escapeHtml(json: string): string {
  return json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** `format` filled in with Go's verbs `%s %d %v %q %t %x %f %T %%`, widths and flags. */
export function goSprintf(format: string, args: readonly unknown[]): string {
  let used = 0;
  const text = format.replace(/%([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g, (_whole, ...groups: string[]) => {
    const [flags = '', width = '', precision, verb = ''] = groups;
    if (verb === '%') return '%';
    if (used >= args.length) return `%!${verb}(MISSING)`;
    const body = formatVerb(verb, args[used++], precision === undefined ? undefined : Number(precision), flags);
    const size = Number(width || 0);
    if (flags.includes('-')) return body.padEnd(size);
    return body.padStart(size, flags.includes('0') ? '0' : ' ');
  });
  const extra = args.slice(used).map((arg) => `${typeName(arg)}=${printValue(arg)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatVerb(verb: string, value: unknown, precision: number | undefined, flags: string): string {
  switch (verb) {
    case 'v':
      return printValue(value);
    case 's':
      if (typeof value === 'number' || typeof value === 'boolean') return bad(verb, value);
      return precision === undefined ? printValue(value) : [...printValue(value)].slice(0, precision).join('');
    case 'q':
      return Array.isArray(value)
        ? `[${value.map((item) => goQuote(printValue(item))).join(' ')}]`
        : goQuote(printValue(value));
    case 'd':
      if (typeof value !== 'number' && typeof value !== 'bigint') return bad(verb, value);
      return flags.includes('+') && value >= 0 ? `+${value}` : String(value);
    case 't':
      return typeof value === 'boolean' ? String(value) : bad(verb, value);
    case 'f':
      return typeof value === 'number' ? value.toFixed(precision ?? 6) : bad(verb, value);
    case 'x':
      return typeof value === 'number' || typeof value === 'bigint'
        ? value.toString(16)
        : Buffer.from(printValue(value)).toString('hex');
    case 'T':
      return typeName(value);
    default:
      return bad(verb, value);
  }
}

function bad(verb: string, value: unknown): string {
  return `%!${verb}(${typeName(value)}=${printValue(value)})`;
}

/** A Go type name for messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined || value === MISSING) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'bigint') return 'int64';
  if (isMap(value)) return value[TYPE_NAME] ?? 'map[string]interface {}';
  return 'string';
}
