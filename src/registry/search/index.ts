// The face of search: keeps the index and answers Docker's v1 search and our own.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { GantryError } from '../../lib/errors.ts';
import type { Database } from '../../store/database.ts';
import type { Exchange, Route } from '../http/types.ts';
import type { ManifestReader, RepositoryReader, TagReader } from '../repositories/types.ts';
import type { EventListener } from '../types.ts';
import { parseQuery } from './query.ts';
import { SearchRecords, type TagRow } from './records.ts';

const PAGE_MAX = 100;
const PAGE = 25;
/** The most rows that are read for one response, when the client may not see most of them. */
const LOOK_MAX = 5000;
const DESCRIPTION = 'org.opencontainers.image.description';

export interface SearchOptions {
  readonly database: Database;
  readonly repositories: ManifestReader & TagReader & RepositoryReader;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Search {
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** Fills an index that is empty although there are repositories. Yields to requests between its steps. */
  fill(signal: AbortSignal): Promise<void>;
  /** Removes the rows of manifests with very many tags that were deleted, a few at a time. */
  sweep(signal: AbortSignal): Promise<void>;
}

/** Opens the index. */
export function createSearch({ database, repositories, now = Date.now }: SearchOptions): Search {
  const records = new SearchRecords(database);
  return {
    listener(event) {
      if (event.action === 'push' && event.tag !== undefined) {
        const record = repositories.findManifest(event.repository, event.tag);
        if (record) records.put(event.tag, record);
      } else if (event.action === 'delete') {
        if (event.tag !== undefined) records.remove(event.repository, event.tag);
        else records.removeManifest(event.repository, event.digest);
      }
    },
    routes: [
      {
        method: 'GET',
        path: '/v1/_ping',
        right: 'open',
        label: 'v1',
        handle: (exchange) => exchange.json(200, true, V1),
      },
      {
        method: 'GET',
        path: '/v1/search',
        right: 'catalog',
        label: 'search',
        handle: (exchange) => v1Search(records, exchange),
      },
      {
        method: 'GET',
        path: '/v2/_gantry/search',
        right: 'catalog',
        label: 'search',
        handle: (exchange) => search(records, exchange, now()),
      },
    ],
    fill: (signal) => fill(records, database, repositories, signal),
    async sweep(signal) {
      while (!signal.aborted && records.sweep()) await yieldToEventLoop();
    },
  };
}

/** @source Docker registry v1 protocol, as dockerd 28.5 asks before a search */
const V1 = { 'X-Docker-Registry-Version': 'gantry-registry', 'X-Docker-Registry-Standalone': 'true' };

async function fill(
  records: SearchRecords,
  database: Database,
  repositories: ManifestReader & TagReader & RepositoryReader,
  signal: AbortSignal,
): Promise<void> {
  if (!records.isEmpty()) return;
  for (
    let name = repositories.repositories({ limit: 1 })[0];
    name !== undefined;
    name = repositories.repositories({ after: name, limit: 1 })[0]
  ) {
    for (let after = ''; ; ) {
      signal.throwIfAborted();
      const page = repositories.tagRecords(name, { after, limit: 200 });
      database.transaction(() => {
        for (const { repository, tag } of page) {
          const record = repositories.findManifest(repository, tag);
          if (record) records.put(tag, record);
        }
      });
      await yieldToEventLoop();
      const last = page.at(-1);
      if (!last || page.length < 200) break;
      after = last.tag;
    }
  }
}

function numberOf(exchange: Exchange, name: string, fallback: number, max: number): number {
  const text = exchange.query.get(name);
  if (text === null || text === '') return fallback;
  if (!/^\d{1,15}$/.test(text))
    throw new GantryError('invalid', 'PAGINATION_NUMBER_INVALID', `${name} is not a number`);
  return Math.min(Number(text), max);
}

/** Our search: rows of tags that the sender may pull; `last` of one page is where the next begins. */
function search(records: SearchRecords, exchange: Exchange, nowMs: number): void {
  const query = parseQuery(exchange.query.get('q') ?? '');
  const limit = numberOf(exchange, 'n', PAGE, PAGE_MAX);
  let before = numberOf(exchange, 'last', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const found: TagRow[] = [];
  let looked = 0;
  let isEnd = false;
  while (found.length < limit && looked < LOOK_MAX && !isEnd) {
    const rows = records.find(query, before, limit, nowMs);
    isEnd = rows.length < limit;
    looked += rows.length;
    before = rows.at(-1)?.id ?? before;
    for (const row of rows) if (exchange.grant.could('pull', row.repository)) found.push(row);
  }
  const results = found.slice(0, limit);
  const last = found.length > limit ? results.at(-1)?.id : before;
  exchange.json(200, { results: results.map(viewOf), ...(isEnd && found.length <= limit ? {} : { last }) });
}

function viewOf({ id: _, createdAtMs, pushedAtMs, ...row }: TagRow) {
  const createdAt = createdAtMs === undefined ? {} : { createdAt: new Date(createdAtMs).toISOString() };
  return { ...row, ...createdAt, pushedAt: new Date(pushedAtMs).toISOString() };
}

/** What `docker search HOST/term` asks. @source Docker registry v1 protocol: search */
function v1Search(records: SearchRecords, exchange: Exchange): void {
  const q = (exchange.query.get('q') ?? '').slice(0, 300).toLowerCase();
  const size = Math.max(1, numberOf(exchange, 'n', PAGE, PAGE_MAX));
  const page = Math.max(1, numberOf(exchange, 'page', 1, 1000));
  const visible: { readonly name: string; readonly labels: string }[] = [];
  for (let after = '', looked = 0; looked < LOOK_MAX; ) {
    const rows = records.repositories(q, after, 500);
    visible.push(...rows.filter(({ name }) => exchange.grant.could('pull', name)));
    looked += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < 500) break;
    after = last.name;
  }
  const results = visible.slice((page - 1) * size, page * size).map(({ name, labels }) => ({
    name,
    description: (JSON.parse(labels) as Record<string, string>)[DESCRIPTION] ?? '',
    star_count: 0,
    is_official: false,
    is_automated: false,
    is_trusted: false,
  }));
  const pages = Math.ceil(visible.length / size);
  exchange.json(200, { num_results: visible.length, num_pages: pages, page, page_size: size, query: q, results }, V1);
}
