// Owns the lists of tags and of repositories, in pages.
// @source OCI distribution specification 1.1, "Listing Tags"; distribution's `_catalog`

import type { Exchange } from '../http/types.ts';
import { limitOf } from './parse.ts';
import type { DistributionOptions } from './types.ts';

/** Tags without a question for fewer: as many as clients expect in one answer. */
const TAGS_MAX = 10_000;
const CATALOG_MAX = 1000;

/** GET of a repository's tags. */
export async function getTags({ repositories, origin }: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '' } = exchange.parameters;
  const limit = limitOf(exchange.query.get('n'), TAGS_MAX);
  const after = exchange.query.get('last') ?? undefined;
  const found = origin?.serves(name)
    ? pageOf(await origin.tags(name), after, limit + 1)
    : repositories.tags(name, { after, limit: limit + 1 });
  const tags = found.slice(0, limit);
  exchange.json(
    200,
    { name, tags },
    found.length > limit ? next(exchange.link(`/v2/${name}/tags/list`), limit, tags.at(-1)) : {},
  );
}

function pageOf(tags: readonly string[], after: string | undefined, limit: number): readonly string[] {
  return tags.filter((tag) => after === undefined || tag > after).slice(0, limit);
}

/** GET of the repositories that the sender sees. */
export function getCatalog({ repositories }: DistributionOptions, exchange: Exchange): void {
  const limit = limitOf(exchange.query.get('n'), CATALOG_MAX);
  const names: string[] = [];
  let after = exchange.query.get('last') ?? undefined;
  let hasMore = false;
  for (;;) {
    const page = repositories.repositories({ after, limit: CATALOG_MAX });
    for (const name of page) {
      if (!exchange.grant.could('pull', name)) continue;
      hasMore = names.length === limit;
      if (hasMore) break;
      names.push(name);
    }
    if (hasMore || page.length < CATALOG_MAX) break;
    after = page.at(-1);
  }
  exchange.json(200, { repositories: names }, hasMore ? next(exchange.link('/v2/_catalog'), limit, names.at(-1)) : {});
}

/** @source RFC 5988, as the specification wants it */
function next(path: string, limit: number, last: string | undefined): Record<string, string> {
  if (last === undefined) return {};
  return { Link: `<${path}?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"` };
}
