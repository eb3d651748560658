// Owns reading a daemon.json: its syntax, its names, its values, with dockerd's words for mistakes.

import { readFileSync } from 'node:fs';
import { messageOf } from '../lib/errors.ts';
import { scanJson, skipSpace } from '../spec/docker/decode-json.ts';
import { GoJson, isObject, JsonPlace } from './go-json.ts';
import { KINDS } from './option-kinds.ts';
import { NESTED, OPTIONS, type Option, SINGULAR_KEYS } from './options.table.ts';

/** One value of the file. */
export interface FileEntry {
  readonly option: Option;
  /** The name that it has in the file. */
  readonly key: string;
  readonly raw: unknown;
}

export interface ConfigFile {
  readonly path: string;
  readonly entries: readonly FileEntry[];
  /** Names of flags, which dockerd lets stand in the file and does not read. */
  readonly unread: readonly (FileEntry & { readonly instead: string })[];
}

/** Most of what a configuration file can be; more is another file by mistake. */
const MOST_BYTES = 1 << 20;

/**
 * Reads names and raw values; undefined when there is no such file and `wanted` is false.
 * @throws Error in dockerd's words
 */
export function readConfigFile(path: string, wanted: boolean): ConfigFile | undefined {
  const text = readText(path, wanted);
  if (text === undefined) return undefined;
  const fields = parse(text);
  const entries: FileEntry[] = [];
  const unread: (FileEntry & { readonly instead: string })[] = [];
  const unknown: string[] = [];
  for (const [key, raw] of Object.entries(fields)) {
    const nested = NESTED[key];
    if (nested !== undefined && isObject(raw)) {
      for (const [name, value] of Object.entries(raw)) {
        const option = nested.includes(name) ? OPTIONS.find(({ key: own }) => own === name) : undefined;
        if (option === undefined) unknown.push(name);
        else entries.push({ option, key: name, raw: value });
      }
      continue;
    }
    const place = placeOf(key);
    const below = isObject(raw) && !takesObject(place) ? Object.keys(raw).filter((name) => !isName(name)) : [];
    if (below.length > 0) unknown.push(...below);
    else if (place === undefined) unknown.push(key);
    else if (place.kind === 'read') entries.push({ option: place.option, key, raw });
    else unread.push({ option: place.option, key, raw, instead: place.instead });
  }
  if (unknown.length > 0) {
    throw new Error(`the following directives don't match any configuration option: ${unknown.join(', ')}`);
  }
  for (const [one, many] of Object.entries(SINGULAR_KEYS)) {
    if (fields[one] && fields[many]) {
      throw new Error(`${one} and ${many} must not both be specified in the config file`);
    }
  }
  return { path, entries, unread };
}

/** The value of one entry; undefined for null, which is as absent. @throws Error in dockerd's words */
export function readEntry({ option, key, raw }: FileEntry): unknown {
  const path = NESTED_PATHS.get(key) ?? key;
  try {
    if (SINGULAR_KEYS[key] !== undefined) {
      const one = raw === null ? '' : KINDS.ip.json(raw, new JsonPlace(path));
      return one === '' ? undefined : [one];
    }
    if (raw === null && option.kind !== 'bytes') return undefined;
    return KINDS[option.kind].json(raw, new JsonPlace(path), option.goType);
  } catch (error) {
    throw new Error(`invalid JSON: ${messageOf(error)}`);
  }
}

const NESTED_PATHS: ReadonlyMap<string, string> = new Map(
  Object.entries(NESTED).flatMap(([group, names]) => names.map((name) => [name, `${group}.${name}`])),
);

type Place =
  | { readonly kind: 'read'; readonly option: Option }
  | { readonly kind: 'unread'; readonly option: Option; readonly instead: string };

function placeOf(key: string): Place | undefined {
  const isNested = NESTED_PATHS.has(key);
  const name = SINGULAR_KEYS[key] ?? key;
  const option = isNested ? undefined : OPTIONS.find((candidate) => candidate.key === name);
  if (option !== undefined) return { kind: 'read', option };
  const ofFlag = OPTIONS.find((candidate) => candidate.flag === key);
  if (ofFlag === undefined) return undefined;
  const group = NESTED_PATHS.get(key)?.split('.')[0];
  const elsewhere = group === undefined ? `it is called "${ofFlag.key}" there` : `it belongs below "${group}"`;
  return { kind: 'unread', option: ofFlag, instead: ofFlag.key === undefined ? 'it is a flag only' : elsewhere };
}

const OBJECT_KINDS: ReadonlySet<string> = new Set([
  'ulimits',
  'runtimes',
  'texts',
  'bools',
  'textMaps',
  'object',
  'any',
]);

function takesObject(place: Place | undefined): boolean {
  return place?.kind === 'read' && OBJECT_KINDS.has(place.option.kind);
}

function isName(name: string): boolean {
  return NESTED[name] !== undefined || placeOf(name) !== undefined;
}

function readText(path: string, wanted: boolean): string | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MOST_BYTES) throw new Error(`the file has more than ${MOST_BYTES} bytes`);
    return bytes.toString('utf8').replace(/^\ufeff/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw error;
    if (wanted) throw new Error(`open ${path}: no such file or directory`);
    return undefined;
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  const scan = scanJson(text);
  if (scan.kind === 'empty') return {};
  const fail = (why: string) => new Error(`invalid JSON: ${why}`);
  if (scan.kind === 'error') {
    throw fail(scan.message === 'unexpected EOF' ? 'unexpected end of JSON input' : scan.message);
  }
  const next = skipSpace(text, scan.end);
  if (next < text.length) throw fail(`invalid character '${text[next]}' after top-level value`);
  const value: unknown = JSON.parse(text);
  if (value === null) return {};
  if (!isObject(value)) throw fail(GoJson.mismatch(value, 'Go value of type map[string]interface {}').message);
  return value;
}
