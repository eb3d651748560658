// Owns writing a record out with Docker's fields in Docker's order, gaps filled. Knows no nouns.

/** A field and what stands for it when it is absent; `OMIT` leaves the field out. */
export type FieldTable = readonly (readonly [name: string, whenAbsent: unknown])[];

/** Marks fields that Docker leaves out when empty. */
export const OMIT = Symbol('omit');

/** `source` with the table's fields in the table's order. Empty values of `OMIT` fields are left out, as Go's omitempty does. */
export function inOrder(table: FieldTable, source: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const values = source as Readonly<Record<string, unknown>>;
  for (const [name, whenAbsent] of table) {
    const value = values[name];
    if (whenAbsent !== OMIT) result[name] = value ?? whenAbsent;
    else if (!isEmpty(value)) result[name] = value;
  }
  return result;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A map with its keys sorted, as Go writes maps. */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** A sorted map, null for none. */
export function mapOrNull<T>(map: Readonly<Record<string, T>> | null | undefined): Record<string, T> | null {
  return map && Object.keys(map).length > 0 ? sortedMap(map) : null;
}
