// Owns reading the configuration file: YAML, environment overrides of its keys, and what is wrong with it in one line.

import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { parse } from 'yaml';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import { overlay, type Tree } from './environment.ts';
import { type ConfigFile, FILE } from './schema.ts';
import { nodeOf, unusedKeys } from './unused.ts';

const FILE_MAX_BYTES = 1 << 20;
/** Sections that may be the name of their only member: `storage: filesystem`. @source distribution 2.8, Storage.UnmarshalYAML */
const NAMED_SECTIONS = ['storage', 'auth'];
const DRIVERS = ['filesystem', 's3'];

/** A file's content. */
export interface ReadFile {
  readonly file: ConfigFile;
  /** Keys that mean something to a docker-registry and nothing here, as `http.debug`. */
  readonly unusedKeys: readonly string[];
  /** REGISTRY_* variables that name no key. */
  readonly unknownVariables: readonly string[];
  /** What set a key: a variable's name, or the key itself. */
  readonly sourceOf: (key: string) => string;
}

/** The file at `path` (none: only the environment), checked. @throws CONFIG_INVALID naming the key */
export function readConfigFile(path: string | undefined, env: NodeJS.ProcessEnv): ReadFile {
  const tree = path === undefined ? {} : readTree(path);
  const storage = tree.storage;
  const { sources, unknown } = overlay(tree, nodeOf(FILE), env);
  for (const section of NAMED_SECTIONS) if (typeof tree[section] === 'string') tree[section] = { [tree[section]]: {} };
  if (sources.has('storage')) tree.storage = chosenStorage(storage, tree.storage);
  const sourceOf = (key: string): string => {
    const source = sources.get(key);
    return source === undefined ? key : `${source} (${key})`;
  };
  const result = v.safeParse(FILE, tree, { abortPipeEarly: true });
  if (result.success) {
    const unused = [...unusedKeys(FILE, tree), ...differentKeys(result.output)];
    return { file: result.output, unusedKeys: unused, unknownVariables: unknown, sourceOf };
  }
  const lines = result.issues.slice(0, 10).map((issue) => `${sourceOf(keyOf(issue))}: ${wordsOf(issue)}`);
  throw invalid(path === undefined ? lines.join('; ') : `${path}: ${lines.join('; ')}`);
}

/** REGISTRY_STORAGE names another driver: the file's goes, what is no driver (delete, maintenance) stays. */
function chosenStorage(file: unknown, chosen: unknown): unknown {
  if (!isRecord(file) || !isRecord(chosen)) return chosen;
  const kept = Object.entries(file).filter(([key]) => !DRIVERS.includes(key) || key in chosen);
  const both = ([key, value]: readonly [string, unknown]) => {
    const other = chosen[key];
    return [key, isRecord(value) && isRecord(other) ? { ...value, ...other } : (other ?? value)] as const;
  };
  return { ...chosen, ...Object.fromEntries(kept.map(both)) };
}

/** Keys that are used, but not as the file has them. */
function differentKeys(file: ConfigFile): readonly string[] {
  // Ours are always relative.
  return file.http?.relativeurls === false ? ['http.relativeurls'] : [];
}

function readTree(path: string): Tree {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new GantryError('invalid', 'CONFIG_INVALID', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  if (bytes.length > FILE_MAX_BYTES) throw invalid(`${path} is over ${FILE_MAX_BYTES} bytes`);
  let tree: unknown;
  try {
    tree = parse(bytes.toString(), { maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    throw new GantryError('invalid', 'CONFIG_INVALID', `${path} is no YAML: ${messageOf(cause)}`, { cause });
  }
  if (!isRecord(tree)) throw invalid(`${path} is no YAML mapping`);
  return { ...tree };
}

function keyOf(issue: v.BaseIssue<unknown>): string {
  return issue.path?.map((item) => String(item.key)).join('.') ?? 'the file';
}

function wordsOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return issue.message.includes('not supported') ? issue.message : 'no such key';
  return issue.message;
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'CONFIG_INVALID', message);
}
