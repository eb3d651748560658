// Owns which filters each list and prune takes, and the checks of their values. Filters nothing.

import { GantryError } from '../../lib/errors.ts';
import { goQuote, type Query, uint16Fault } from '../../spec/docker/decode-query.ts';
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
  images: ['before', 'dangling', 'label', 'reference', 'since', 'until'],
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
  requirePorts(filters, 'expose');
  requirePorts(filters, 'publish');
  for (const code of filters.get('exited') ?? []) {
    if (!/^[+-]?\d+$/.test(code)) {
      throw invalidFilter(
        `invalid filter 'exited=${code}': strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`,
      );
    }
  }
}

/** `80`, `80-90`, with `/tcp` or another protocol. @source dockerd 28.5, its texts */
function requirePorts(filters: Filters, key: 'expose' | 'publish'): void {
  for (const value of filters.get(key) ?? []) {
    if (value.includes(':')) throw badPort(`filter for '${key}' should not contain ':': ${value}`);
    const [range = ''] = value.split('/');
    const [first = '', last = first] = range.split('-');
    for (const port of [first, last]) {
      const fault = uint16Fault(port);
      if (fault === undefined) continue;
      throw badPort(
        `error while looking up for ${key} ${value}: strconv.ParseUint: parsing ${goQuote(port)}: ${fault}`,
      );
    }
    if (Number(last) < Number(first)) {
      throw badPort(`error while looking up for ${key} ${value}: Invalid range specified for the Port: ${range}`);
    }
  }
}

function badPort(message: string): GantryError {
  return new GantryError('system', 'INVALID_FILTER', message);
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
  const moments = momentsOf(filters, kind);
  if (moments.length > 1) throw new GantryError('invalid', 'BAD_MOMENT', 'more than one until filter specified');
  return moments[0];
}

/** Unix nanoseconds of every `until`: a list takes several, which must all hold. @throws BAD_MOMENT of `kind` with Docker's text */
export function momentsOf(filters: Filters, kind: 'invalid' | 'system'): readonly bigint[] {
  return (filters.get('until') ?? []).map((text) => {
    const moment = parseMoment(text, BigInt(Date.now()) * 1_000_000n);
    if (moment !== undefined) return moment;
    throw new GantryError(kind, 'BAD_MOMENT', `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  });
}
