// Owns what the prune commands share: filters, what was removed, and how it is printed.
import type { Filters } from '../client/index.ts';
import { filtersOf } from './filters.ts';
import { humanSize } from './render/units.ts';
import type { Session } from './session.ts';

/** What one kind of objects gave back. */
export interface Pruned {
  /** Empty when nothing was removed. */
  readonly text: string;
  readonly bytes: number;
}

/** `heading`, then a line for each thing removed. */
export function pruned(heading: string, lines: readonly string[], bytes = 0): Pruned {
  return { text: lines.length === 0 ? '' : `${heading}:\n${lines.join('\n')}\n`, bytes };
}

/**
 * The filters of the command line, with those of config.json that they do not contradict.
 * @source docker 28.2.2 command.PruneFilters
 */
export function pruneFilters(session: Session, texts: readonly string[]): Record<string, string[]> {
  const filters = filtersOf(texts);
  const configured = session.config().data.pruneFilters;
  for (const text of Array.isArray(configured) ? configured.map(String) : []) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (value === '') continue;
    const opposite = { label: 'label!', 'label!': 'label' }[key];
    if (opposite !== undefined && filters[opposite]?.includes(value)) continue;
    filters[key] = [...(filters[key] ?? []), value];
  }
  return filters;
}

/** `filters` when there are any. */
export const orNone = (filters: Filters): Filters | undefined =>
  Object.keys(filters).length === 0 ? undefined : filters;

/** The line that ends a prune. */
export const reclaimedText = (bytes: number): string => `Total reclaimed space: ${humanSize(bytes, 4)}`;
