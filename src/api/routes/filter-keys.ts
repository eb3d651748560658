// Owns which filters each list and prune takes, and the checks of their values. Filters nothing.

import { GantryError } from '../../lib/errors.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { type Filters, invalidFilter, parseFilters, requireFilterKeys } from '../../spec/docker/filters.ts';
import { parseMoment } from '../../spec/time.ts';

/** @source moby v28.5 daemon/list.go, images, volume/service, network/filter.go */
export const LIST_KEYS = {
  containers: [
    'ancestor',
    'before',
    'exited',
    'expose',
    'health',
    'id',
    'is-task',
    'isolation',
    'label',
    'name',
    'network',
    'publish',
    'since',
    'status',
    'volume',
  ],
  images: ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'],
  networks: ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'],
  volumes: ['dangling', 'driver', 'label', 'name'],
  plugins: ['capability', 'enabled'],
  search: ['is-automated', 'is-official', 'stars'],
} as const;

export const PRUNE_KEYS = {
  containers: ['label', 'label!', 'until'],
  images: ['dangling', 'label', 'label!', 'until'],
  networks: ['label', 'label!', 'until'],
  volumes: ['all', 'label', 'label!'],
} as const;

/** The checked filters of a query. @throws INVALID_FILTER */
export function queryFilters(query: Query, accepted: readonly string[]): Filters {
  const text = query.get('filters');
  const filters = parseFilters(text);
  if (text !== '') requireFilterKeys(filters, accepted);
  return filters;
}

const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];

/** Refuses values that no container can have. @throws INVALID_FILTER with Docker's text */
export function requireContainerValues(filters: Filters): void {
  requireOneOf(filters, 'status', 'state', STATES);
  requireOneOf(filters, 'health', 'health', HEALTHS);
  for (const code of filters.get('exited') ?? []) {
    if (!/^[+-]?\d+$/.test(code)) {
      throw invalidFilter(
        `invalid filter 'exited=${code}': strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`,
      );
    }
  }
}

function requireOneOf(filters: Filters, key: string, word: string, known: readonly string[]): void {
  for (const value of filters.get(key) ?? []) {
    if (known.includes(value)) continue;
    const detail = `invalid value for ${word} (${value}): must be one of ${known.join(', ')}`;
    throw invalidFilter(`invalid filter '${key}=${value}': ${detail}`);
  }
}

/** Unix nanoseconds of the `until` filter; undefined when absent. @throws BAD_MOMENT of `kind` with Docker's text */
export function requireMoments(filters: Filters, kind: 'invalid' | 'system'): bigint | undefined {
  const values = filters.get('until') ?? [];
  if (values.length > 1) throw new GantryError('invalid', 'BAD_MOMENT', 'more than one until filter specified');
  const [text] = values;
  if (text === undefined) return undefined;
  const moment = parseMoment(text, BigInt(Date.now()) * 1_000_000n);
  if (moment !== undefined) return moment;
  throw new GantryError(kind, 'BAD_MOMENT', `failed to parse value as time or duration: ${JSON.stringify(text)}`);
}
