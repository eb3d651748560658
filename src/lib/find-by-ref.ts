// Owns how an object is found by what a user calls it: its id, its name, or the beginning of its id. Knows no object.

/** How to look one up. */
export interface Lookup<T> {
  readonly exact: (ref: string) => T | undefined;
  /** Every object whose id begins with `prefix`. */
  readonly startingWith: (prefix: string) => readonly T[];
}

/** What a ref means: one object, none, or `count` of them. */
export type Found<T> =
  | { readonly kind: 'one'; readonly item: T }
  | { readonly kind: 'none' | 'many'; readonly count: number };

/** A prefix is hexadecimal, as ids are, and names one object only. */
const PREFIX = /^[0-9a-f]{1,64}$/;

/** The object that `ref` means: an exact match first, then a unique beginning of an id. */
export function findByRef<T>(ref: string, { exact, startingWith }: Lookup<T>): Found<T> {
  const item = exact(ref);
  if (item !== undefined) return { kind: 'one', item };
  const matches = PREFIX.test(ref) ? startingWith(ref) : [];
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return { kind: 'one', item: only };
  return { kind: matches.length === 0 ? 'none' : 'many', count: matches.length };
}
