// Owns the values that flags have after parsing, and how one text becomes one value. Knows no command.
import {
  parseBytes,
  parseCsvRecord,
  parseGoBool,
  parseGoDuration,
  parseGoInt,
  parseGoUint,
  parseNanoCpus,
} from './go-text.ts';
import type { FlagSpec, FlagType } from './types.ts';

/** Lists keep their texts; bytes are bytes, durations nanoseconds, decimals billionths. */
export type FlagValue = string | boolean | number | readonly string[];

/** Extra checks by flag name, run as the flag is read. They throw plain errors in Docker's words. */
export type FlagChecks = Readonly<Record<string, (text: string) => void>>;

const LIST_TYPES: ReadonlySet<FlagType> = new Set([
  'filter',
  'gpu-request',
  'list',
  'map',
  'mount',
  'network',
  'stringToString',
  'strings',
  'ulimit',
]);
const NUMBER_TYPES: ReadonlySet<FlagType> = new Set(['bytes', 'decimal', 'duration', 'int', 'uint', 'uint16']);

/** The value of `text` for `spec`. @throws Error in Docker's words */
export function readValue(spec: FlagSpec, text: string): FlagValue {
  switch (spec.type) {
    case 'bool':
      return parseGoBool(text);
    case 'int':
      return parseGoInt(text);
    case 'uint':
      return parseGoUint(text, 64);
    case 'uint16':
      return parseGoUint(text, 16);
    case 'bytes':
      return spec.name === 'memory-swap' && text === '-1' ? -1 : parseBytes(text);
    case 'decimal':
      return parseNanoCpus(text);
    case 'duration':
      return parseGoDuration(text);
    case 'strings':
      return text === '' ? [] : parseCsvRecord(text);
    case 'stringToString':
      return readPairs(text);
    case 'filter':
      if (text !== '' && !text.includes('=')) throw new Error('bad format of filter (expected name=value)');
      return text === '' ? [] : [text];
    case 'gpu-request':
    case 'list':
    case 'map':
    case 'mount':
    case 'network':
    case 'ulimit':
      return [text];
    case 'string':
      return text;
  }
}

/** `key=value`, or a CSV line of such. @source pflag */
function readPairs(text: string): string[] {
  const signs = text.split('=').length - 1;
  const pairs = signs > 1 ? parseCsvRecord(text) : [text.replace(/^"+|"+$/g, '')];
  const bad = signs === 0 ? text : pairs.find((pair) => !pair.includes('='));
  if (bad !== undefined) throw new Error(`${bad} must be formatted as key=value`);
  return pairs;
}

/** Flag values of one command line, read by name; asking for an unknown or wrongly typed flag is a bug. */
export class Flags {
  readonly #specs: ReadonlyMap<string, FlagSpec>;
  readonly #given = new Map<string, FlagValue>();

  constructor(specs: readonly FlagSpec[]) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** Stores a value; lists grow. */
  set(spec: FlagSpec, value: FlagValue): void {
    const before = this.#given.get(spec.name);
    this.#given.set(spec.name, Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value);
  }

  /** True when the flag was on the command line. */
  changed(name: string): boolean {
    return this.#given.has(name);
  }

  bool(name: string): boolean {
    const value = this.#value(name);
    if (typeof value !== 'boolean') throw new TypeError(`--${name} is no boolean flag`);
    return value;
  }

  text(name: string): string {
    const value = this.#value(name);
    if (typeof value !== 'string') throw new TypeError(`--${name} is no text flag`);
    return value;
  }

  number(name: string): number {
    const value = this.#value(name);
    if (typeof value !== 'number') throw new TypeError(`--${name} is no number flag`);
    return value;
  }

  list(name: string): readonly string[] {
    const value = this.#value(name);
    if (typeof value !== 'object') throw new TypeError(`--${name} is no list flag`);
    return value;
  }

  #value(name: string): FlagValue {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new TypeError(`the command has no flag --${name}`);
    return this.#given.get(name) ?? initialValue(spec);
  }
}

/** The value of a flag that was not given. */
export function initialValue(spec: FlagSpec): FlagValue {
  if (LIST_TYPES.has(spec.type)) return [];
  if (spec.initial !== undefined) return spec.initial;
  if (spec.type === 'bool') return false;
  return NUMBER_TYPES.has(spec.type) ? 0 : '';
}
