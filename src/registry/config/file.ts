// Owns reading the configuration file: YAML, environment overrides of its keys, and what is wrong with it in one line.

import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { parse } from 'yaml';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import { type ConfigFile, FILE } from './schema.ts';
import { unusedKeys } from './unused.ts';

const FILE_MAX_BYTES = 1 << 20;
/** distribution's overrides: REGISTRY_HTTP_ADDR=… is http.addr. */
const ENV_PREFIX = 'REGISTRY_';

type Tree = Record<string, unknown>;

/** A file's content. */
export interface ReadFile {
  readonly file: ConfigFile;
  /** Keys that mean something to a docker-registry and nothing here, as `http.debug`. */
  readonly unusedKeys: readonly string[];
}

/** The file at `path` (none: only the environment), checked. @throws CONFIG_INVALID naming the key */
export function readConfigFile(path: string | undefined, env: NodeJS.ProcessEnv): ReadFile {
  const tree = path === undefined ? {} : readTree(path);
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith(ENV_PREFIX) && value !== undefined) override(tree, name.slice(ENV_PREFIX.length), value);
  }
  const result = v.safeParse(FILE, tree, { abortPipeEarly: true });
  if (result.success) return { file: result.output, unusedKeys: unusedKeys(FILE, tree) };
  const lines = result.issues.slice(0, 10).map((issue) => `${keyOf(issue)}: ${wordsOf(issue)}`);
  throw invalid(`${path ?? 'the environment'}: ${lines.join('; ')}`);
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

/** Sets one key; a key that has no place in the file is refused later, with its name. Values are YAML, as distribution reads them. */
function override(tree: Tree, name: string, value: string): void {
  const path = name.toLowerCase().split('_');
  const last = path.pop();
  if (last === undefined || last === '') return;
  let at = tree;
  for (const key of path) {
    const next = at[key];
    at[key] = isRecord(next) ? { ...next } : {};
    at = at[key] as Tree;
  }
  at[last] = scalar(value);
}

function scalar(value: string): unknown {
  try {
    return parse(value, { maxAliasCount: 0 }) as unknown;
  } catch {
    return value;
  }
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
