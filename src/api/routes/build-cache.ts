// Owns pruning the build cache, which is empty as long as nothing builds: checks what is asked as Docker does. Removes nothing.

import { GantryError } from '../../lib/errors.ts';
import { parseGoInt, type Query } from '../../spec/docker/decode-query.ts';
import { type Filters, parseFilters } from '../../spec/docker/filters.ts';
import { parseMoment } from '../../spec/time.ts';
import { prefixed } from '../errors.ts';
import { type Handlers, json } from '../exchange.ts';

/** @source dockerd 28.5 */
const FILTER_KEYS = [
  'description',
  'id',
  'inuse',
  'label',
  'label!',
  'parent',
  'private',
  'shared',
  'type',
  'until',
  'unused-for',
];
const SIZES = ['keep-storage', 'reserved-space', 'max-used-space', 'min-free-space'];

export function buildCacheHandlers(): Handlers<'buildPrune'> {
  return {
    buildPrune({ query }) {
      for (const name of SIZES) checkSize(query, name);
      checkFilters(parseFilters(query.get('filters')));
      return json({ CachesDeleted: null, SpaceReclaimed: 0 });
    },
  };
}

function checkSize(query: Query, name: string): void {
  const text = query.get(name);
  try {
    if (text !== '') parseGoInt(text);
  } catch (error) {
    throw prefixed(error, `${name} is in bytes and expects an integer, got ${text}: `, 'invalid');
  }
}

function checkFilters(filters: Filters): void {
  const ages = ['until', 'unused-for'].filter((key) => filters.has(key));
  if (ages.length > 1) throw notPruned('conflicting filters: "until" and "unused-for"');
  for (const key of ages) {
    const [text = '', ...more] = filters.get(key) ?? [];
    if (more.length > 0) throw notPruned('filters expect only one value');
    if (parseMoment(text, 0n) === undefined) {
      const why = `failed to parse value as time or duration: ${JSON.stringify(text)}`;
      throw notPruned(`${JSON.stringify(key)} filter expects a duration (e.g., '24h') or a timestamp: ${why}`);
    }
  }
  const strange = [...filters.keys()].find((key) => !FILTER_KEYS.includes(key));
  if (strange !== undefined) throw notPruned(`invalid filter '${strange}'`);
}

function notPruned(why: string): GantryError {
  return new GantryError('invalid', 'BAD_PRUNE', `failed to prune build cache: ${why}`);
}
