// Retention must remove what its author meant, and never what something that stays needs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import type { RetentionRule } from '../config/types.ts';
import { type ManifestFacts, planRepository, type RepositoryFacts, type TagFacts } from './plan.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;
const d = (name: string): Digest => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}` as Digest;
const manifest = (name: string, more: Partial<ManifestFacts> = {}): ManifestFacts => ({
  digest: d(name),
  pushedAtMs: NOW - 50 * DAY,
  subject: undefined,
  children: [],
  isSigned: false,
  ...more,
});
const tag = (name: string, target: string, ageDays: number, isImmutable = false): TagFacts => ({
  tag: name,
  digest: d(target),
  updatedAtMs: NOW - ageDays * DAY,
  isImmutable,
});
const rule = (more: Partial<RetentionRule>): RetentionRule => ({
  repositories: ['**'],
  tags: ['**'],
  keepMatching: [],
  ...more,
});

function removed(facts: Omit<RepositoryFacts, 'repository'>, ...rules: readonly RetentionRule[]) {
  const plan = planRepository({ repository: 'app', ...facts }, rules, NOW);
  const name = (digest: string): string => Buffer.from(digest.slice(7), 'hex').toString().replace(/\0+$/, '');
  return {
    tags: plan.tags.map((row) => row.tag).sort(),
    manifests: plan.manifests.map((row) => name(row.digest)).sort(),
  };
}

const THREE = {
  manifests: [manifest('a'), manifest('b'), manifest('c')],
  tags: [tag('v1', 'a', 30), tag('v2', 'b', 20), tag('v3', 'c', 10)],
};

test('without a rule nothing goes', () => {
  assert.deepEqual(removed(THREE), { tags: [], manifests: [] });
  assert.deepEqual(removed(THREE, rule({ repositories: ['other'], keepNewest: 0 })), { tags: [], manifests: [] });
});

test('the newest n stay', () => {
  assert.deepEqual(removed(THREE, rule({ keepNewest: 1 })), { tags: ['v1', 'v2'], manifests: ['a', 'b'] });
});

test('the new and the matching stay', () => {
  assert.deepEqual(removed(THREE, rule({ keepNewerThanMs: 15 * DAY, keepMatching: ['v1'] })), {
    tags: ['v2'],
    manifests: ['b'],
  });
});

test('what one of several rules keeps stays', () => {
  assert.deepEqual(removed(THREE, rule({ keepNewest: 1 }), rule({ keepMatching: ['v1'] })), {
    tags: ['v2'],
    manifests: ['b'],
  });
});

test('a rule for some tags leaves the others alone', () => {
  assert.deepEqual(removed(THREE, rule({ tags: ['v1'], keepNewest: 0 })), { tags: ['v1'], manifests: ['a'] });
});

test('signed and immutable stay whatever the rules say', () => {
  const facts = {
    manifests: [manifest('a', { isSigned: true }), manifest('b'), manifest('c')],
    tags: [tag('v1', 'a', 30), tag('v2', 'b', 20, true), tag('v3', 'c', 10)],
  };
  assert.deepEqual(removed(facts, rule({ keepNewest: 0 })), { tags: ['v3'], manifests: ['c'] });
});

test('a manifest with another tag that stays, stays', () => {
  const facts = { manifests: [manifest('a')], tags: [tag('old', 'a', 30), tag('new', 'a', 1)] };
  assert.deepEqual(removed(facts, rule({ keepNewerThanMs: 5 * DAY })), { tags: ['old'], manifests: [] });
});

test('children go with their index unless another index that stays needs them', () => {
  const facts = {
    manifests: [
      manifest('old', { children: [d('x'), d('shared')] }),
      manifest('new', { children: [d('y'), d('shared')] }),
      manifest('x'),
      manifest('y'),
      manifest('shared'),
    ],
    tags: [tag('v1', 'old', 30), tag('v2', 'new', 1)],
  };
  assert.deepEqual(removed(facts, rule({ keepNewest: 1 })), { tags: ['v1'], manifests: ['old', 'x'] });
});

test('referrers and cosign companions go with their subject and stay with it', () => {
  const companion = (target: string): string => `${d(target).replace(':', '-')}.sig`;
  const facts = {
    manifests: [
      manifest('a'),
      manifest('b'),
      manifest('sbomA', { subject: d('a') }),
      manifest('sbomB', { subject: d('b') }),
      manifest('sigA'),
      manifest('sigB'),
    ],
    tags: [tag('v1', 'a', 30), tag('v2', 'b', 1), tag(companion('a'), 'sigA', 30), tag(companion('b'), 'sigB', 1)],
  };
  assert.deepEqual(removed(facts, rule({ keepNewest: 1 })), {
    tags: [companion('a'), 'v1'].sort(),
    manifests: ['a', 'sbomA', 'sigA'],
  });
});

test('old manifests without a tag go when a rule says so, and only then', () => {
  const facts = {
    manifests: [
      manifest('a'),
      manifest('loose'),
      manifest('fresh', { pushedAtMs: NOW - DAY }),
      manifest('child'),
      manifest('index', { children: [d('child')] }),
    ],
    tags: [tag('v1', 'a', 90), tag('all', 'index', 90)],
  };
  assert.deepEqual(removed(facts, rule({ untaggedOlderThanMs: 7 * DAY })), { tags: [], manifests: ['loose'] });
});
