// Owns environment variables as configuration: docker-registry's REGISTRY_SECTION_KEY put into the file's tree, and which names mean
// nothing. Checks no value: the schema does.
// @source distribution 2.8, configuration/parser.go; behaviour of docker-registry 2.8.3

import { parse } from 'yaml';
import { isRecord } from '../../spec/oci/manifest.ts';
import { OPTIONS } from './options.table.ts';
import type { Node } from './unused.ts';

const PREFIX = 'REGISTRY_';
const OWN_PREFIX = 'GANTRY_REGISTRY_';
/** What Kubernetes tells every container of a service that is called as our variables begin. @source Kubernetes, "Accessing the Service" */
const OF_KUBERNETES = /^(?:SERVICE_(?:HOST|PORT(?:_.+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** Letters that a misspelt name may be away from what was meant. */
const MISSPELT_MAX = 2;

export type Tree = Record<string, unknown>;

/** What the environment added to a tree. */
export interface Overlay {
  /** Which variable set a key: `http.addr` → `REGISTRY_HTTP_ADDR`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Variables that begin as docker-registry's and name nothing that it knows: it passes over them too. */
  readonly unknown: readonly string[];
}

/** Puts REGISTRY_* variables into `tree`, less specific ones first, as far as `schema` has a place for them. */
export function overlay(tree: Tree, schema: Node, env: NodeJS.ProcessEnv): Overlay {
  const sources = new Map<string, string>();
  const unknown: string[] = [];
  for (const name of Object.keys(env).sort()) {
    const value = env[name];
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    const place = find(schema, name.slice(PREFIX.length).split('_'));
    if (!place) unknown.push(name);
    else if (value !== '') {
      put(tree, place, value);
      sources.set(place.path.join('.'), name);
    }
  }
  return { sources, unknown };
}

/** Where a variable's value goes. */
interface Place {
  readonly path: readonly string[];
  readonly node: Node;
}

function find(node: Node, words: readonly string[]): Place | undefined {
  const [word, ...rest] = words;
  if (node.type === 'any' || node.type === 'never') return { path: [], node };
  if (word === undefined) return { path: [], node };
  const under = (key: string, inner: Node, left: readonly string[]): Place | undefined => {
    const found = find(inner, left);
    return found && { path: [key, ...found.path], node: found.node };
  };
  if (node.wrapped) return find(node.wrapped, words);
  if (node.type === 'union') return node.options?.map((option) => find(option, words)).find((place) => place);
  // Keys of a map hold what they like, also what separates keys elsewhere.
  if (node.type === 'record' && node.value) return under(words.join('_').toLowerCase(), node.value, []);
  if (node.type === 'array' && node.item && /^\d{1,3}$/.test(word)) return under(word, node.item, rest);
  const inner = node.entries?.[word.toLowerCase()];
  return inner && under(word.toLowerCase(), inner, rest);
}

function put(tree: Tree, { path, node }: Place, text: string): void {
  const last = path.at(-1);
  if (last === undefined) return;
  let at: Tree | unknown[] = tree;
  path.slice(0, -1).forEach((key, i) => {
    const next: unknown = Reflect.get(at, key);
    const made = isRecord(next) ? { ...next } : Array.isArray(next) ? [...(next as unknown[])] : undefined;
    const inner = made ?? (typeof next === 'string' ? { [next]: {} } : /^\d+$/.test(path[i + 1] ?? '') ? [] : {});
    Reflect.set(at, key, inner);
    at = inner;
  });
  Reflect.set(at, last, readValue(node, text));
}

/** Values are YAML; where a text is wanted, what YAML would take for a number or a truth stays the text that it is. */
function readValue(node: Node, text: string): unknown {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch {
    return text;
  }
  return typeof value === 'object' && value !== null ? value : takesText(node) ? text : value;
}

function takesText(node: Node): boolean {
  if (node.wrapped) return takesText(node.wrapped);
  return (
    node.type === 'string' ||
    node.type === 'picklist' ||
    (node.options?.some((option) => isNode(option) && takesText(option)) ?? false)
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** A GANTRY_REGISTRY_* variable that is none of ours. */
export interface Stranger {
  readonly name: string;
  /** The one that was meant, as far as its letters tell. */
  readonly meant: string | undefined;
}

/** Variables that begin as ours and are not, but for those that Kubernetes makes for a service of our name. */
export function strangersIn(env: NodeJS.ProcessEnv): readonly Stranger[] {
  const known = OPTIONS.map(({ flag }) => variableOf(flag));
  return Object.keys(env)
    .filter((name) => name.startsWith(OWN_PREFIX) && !known.includes(name))
    .filter((name) => !OF_KUBERNETES.test(name.slice(OWN_PREFIX.length)))
    .map((name) => ({ name, meant: known.find((one) => distance(one, name) <= MISSPELT_MAX) }));
}

/** The variable of a flag: --tls-cert is GANTRY_REGISTRY_TLS_CERT. */
export function variableOf(flag: string): string {
  return `${OWN_PREFIX}${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Letters to add, drop or change between two names (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
