// Owns GET /images/search: its limit and filters, and the lines of its answer. Asks no registry itself.

import type { ImageSearchResult } from '../../engine/images/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { parseGoInt, type Query } from '../../spec/docker/decode-query.ts';
import { parseRegistryAuth } from '../../spec/docker/decode-registry-auth.ts';
import { boolFilter, type Filters, invalidFilter } from '../../spec/docker/filters.ts';
import type { ImageSearchItem } from '../../spec/docker/route-replies.ts';
import type { ApiContext } from '../context.ts';
import { prefixed } from '../errors.ts';
import { type Handlers, json } from '../exchange.ts';
import { LIST_KEYS, queryFilters } from './filter-keys.ts';

const LIMIT = 25;
const LIMIT_MAX = 100;

export function imageSearchHandlers({ engine }: ApiContext): Handlers<'imageSearch'> {
  return {
    async imageSearch(x) {
      const { query } = x;
      const limit = limitOf(query);
      const filters = queryFilters(query, LIST_KEYS.search);
      const passes = searchFilter(filters);
      // Docker Hub builds nothing automatically any more: no image is.
      if (boolFilter(filters, 'is-automated', false)) return json([]);
      const auth = x.headers['x-registry-auth'];
      const credentials = parseRegistryAuth(typeof auth === 'string' ? auth : undefined) ?? {};
      const found = await engine.images.search({ term: query.get('term'), limit, credentials }, x.signal);
      return json(found.filter(passes).map(resultView));
    },
  };
}

/** @source dockerd 28.5 */
function limitOf(query: Query): number {
  const text = query.get('limit');
  let limit = 0;
  try {
    limit = text === '' ? 0 : parseGoInt(text);
  } catch (error) {
    throw prefixed(error, 'invalid limit specified: ', 'invalid');
  }
  if (limit === 0) return LIMIT;
  if (limit > 0 && limit <= LIMIT_MAX) return limit;
  throw new GantryError('invalid', 'BAD_LIMIT', `limit ${limit} is outside the range of [1, ${LIMIT_MAX}]`);
}

function searchFilter(filters: Filters): (result: ImageSearchResult) => boolean {
  const official = filters.has('is-official') ? boolFilter(filters, 'is-official', false) : undefined;
  const leastStars = Math.max(0, ...(filters.get('stars') ?? []).map(starsOf));
  return (result) => (official === undefined || result.official === official) && result.stars >= leastStars;
}

function starsOf(text: string): number {
  try {
    return parseGoInt(text);
  } catch (error) {
    if (error instanceof GantryError) throw invalidFilter(`invalid filter 'stars=${text}': ${error.message}`);
    throw error;
  }
}

function resultView({ name, description, stars, official }: ImageSearchResult): ImageSearchItem {
  return { star_count: stars, is_official: official, name, is_automated: false, description };
}
