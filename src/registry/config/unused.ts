// Owns the keys of a configuration that are understood and not used, so that a start can name them.

import * as v from 'valibot';

/** Read and not used: they tune what we do otherwise, or what we have no need of. */
export const UNUSED = v.optional(v.any());

/** What of Valibot's schemas is walked. */
export interface Node {
  readonly type: string;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly value?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly options?: readonly Node[];
}

/** A schema, to be walked. */
export function nodeOf(schema: v.GenericSchema): Node {
  return schema as unknown as Node;
}

/** The keys in `value` (`http.debug`) that `schema` marks as UNUSED. `value` fits `schema`. */
export function unusedKeys(schema: v.GenericSchema, value: unknown): readonly string[] {
  return [...new Set(walk(nodeOf(schema), value, ''))];
}

function* walk(node: Node, value: unknown, path: string): Generator<string> {
  if (value === undefined || value === null) return;
  if ((node as unknown) === UNUSED) {
    yield path;
    return;
  }
  if (node.wrapped) yield* walk(node.wrapped, value, path);
  if (node.type === 'union') for (const option of node.options ?? []) yield* walk(option, value, path);
  if (node.item && Array.isArray(value)) for (const item of value) yield* walk(node.item, item, path);
  if (!node.entries || typeof value !== 'object' || Array.isArray(value)) return;
  for (const [key, member] of Object.entries(node.entries)) {
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    yield* walk(member, inner, path === '' ? key : `${path}.${key}`);
  }
}
