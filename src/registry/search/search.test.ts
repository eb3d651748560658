// What was pushed is found by what people remember of it, at once, and what is gone is not found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import { openDatabase } from '../../store/database.ts';
import type { ManifestRecord } from '../repositories/types.ts';
import { parseQuery } from './query.ts';
import { SearchRecords } from './records.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const digest = (n: number): Digest => `sha256:${n.toString(16).padStart(64, '0')}` as Digest;
const record = (
  repository: string,
  n: number,
  more: Partial<ManifestRecord['summary']> = {},
  ageDays = 0,
): ManifestRecord => ({
  repository,
  digest: digest(n),
  mediaType: 'x/y',
  sizeBytes: 1,
  artifactType: '',
  annotations: {},
  pushedAtMs: NOW - ageDays * DAY,
  pushedBy: 'ann',
  summary: { platforms: ['linux/amd64'], labels: {}, contentBytes: 1000, ...more },
});

function fixture() {
  const database = openDatabase(':memory:');
  const records = new SearchRecords(database);
  records.put(
    'v1',
    record('team/web', 1, { labels: { maintainer: 'Ann Smith', __proto__: 'x' } as Record<string, string> }, 40),
  );
  records.put(
    'v2',
    record('team/web', 2, { platforms: ['linux/arm64/v8', 'linux/amd64'], contentBytes: 5_000_000 }, 3),
  );
  records.put('latest', record('team/api', 0xabc, { contentBytes: 2 ** 31 }));
  const names = (query: string): string[] =>
    records.find(parseQuery(query), Number.MAX_SAFE_INTEGER, 100, NOW).map((row) => `${row.repository}:${row.tag}`);
  return { database, records, names };
}

const FOUND: readonly (readonly [query: string, names: readonly string[]])[] = [
  ['', ['team/api:latest', 'team/web:v2', 'team/web:v1']],
  ['web', ['team/web:v2', 'team/web:v1']],
  ['WEB v1', ['team/web:v1']],
  ['eam/w', ['team/web:v2', 'team/web:v1']],
  ['smith', ['team/web:v1']],
  ['label:maintainer', ['team/web:v1']],
  ['label:maintainer=Ann', []],
  ['repo:team/* tag:v*', ['team/web:v2', 'team/web:v1']],
  ['platform:linux/arm64', ['team/web:v2']],
  ['platform:linux/arm', []],
  ['size:>1MB', ['team/api:latest', 'team/web:v2']],
  ['size:<=1000', ['team/web:v1']],
  ['age:>30d', ['team/web:v1']],
  ['age:<7d', ['team/api:latest', 'team/web:v2']],
  [`digest:${digest(0xabc)}`, ['team/api:latest']],
  ['"quoted" OR *', []],
  ['nothing-like-it', []],
];

for (const [query, wanted] of FOUND) {
  test(`${query || 'an empty query'} finds ${wanted.length}`, () => {
    assert.deepEqual(fixture().names(query), wanted);
  });
}

test('a tag that moved is found once, one that went is not', () => {
  const { records, names } = fixture();
  records.put('v1', record('team/web', 9));
  assert.deepEqual(names('team/web tag:v1'), ['team/web:v1']);
  assert.deepEqual(names('smith'), []);
  records.removeManifest('team/web', digest(9));
  assert.deepEqual(names('tag:v1'), []);
});

test('queries that mean nothing are refused with the term', () => {
  for (const query of [
    'size:big',
    'age:>soon',
    'digest:xyz',
    'size:100MB',
    Array.from({ length: 21 }, () => 'a').join(' '),
    'a'.repeat(1001),
  ]) {
    assert.throws(() => parseQuery(query), { code: 'SEARCH_INVALID' });
  }
});

test('a large index does not get in the way of other records', () => {
  const { database, records } = fixture();
  database.transaction(() => {
    for (let i = 0; i < 5000; i++) records.put(`t${i}`, record(`bulk/${i % 50}`, i));
  });
  for (let i = 0; i < 5000; i += 2) records.remove(`bulk/${i % 50}`, `t${i}`);
  database.sql('CREATE TABLE other (a INTEGER) STRICT').run();
  database.sql('DELETE FROM other').run();
});
