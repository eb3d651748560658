// Owns turning repeated `--filter k=v` texts into the API's filters. Checks no keys: the daemon does.
import type { Filters } from '../client/index.ts';

/** Values by key; keys in lower case, blanks cut off. @source docker 28.2.2 opts.FilterOpt */
export function filtersOf(texts: readonly string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = text.slice(0, equals).trim().toLowerCase();
    const values = filters[key] ?? [];
    values.push(text.slice(equals + 1).trim());
    filters[key] = values;
  }
  return filters;
}

/** `filters` when there are any. */
export function filtersOrNone(texts: readonly string[]): Filters | undefined {
  return texts.length === 0 ? undefined : filtersOf(texts);
}
