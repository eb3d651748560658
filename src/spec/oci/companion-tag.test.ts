// A tag that is taken for a signature by mistake is spared a policy; one that is not leaves litter.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnyDigest } from '../digest.ts';
import { companionOf, companionTag, companionTags } from './companion-tag.ts';

const digest = parseAnyDigest(`sha256:${'a'.repeat(64)}`);
const long = parseAnyDigest(`sha512:${'b'.repeat(128)}`);

test('what is made of a digest leads back to it', () => {
  for (const subject of [digest, long]) {
    assert.ok(subject);
    assert.deepEqual(companionOf(companionTag(subject, 'att')), { subject, kind: 'att' });
    assert.equal(companionTags(subject).filter((tag) => companionOf(tag)?.subject === subject).length, 3);
  }
});

test('other tags belong to nothing', () => {
  const hex = 'a'.repeat(64);
  for (const tag of [
    'v1',
    'sha256-abc.sig',
    `sha256-${hex}`,
    `sha256-${hex}.exe`,
    `sha256-${hex}a.sig`,
    `sha512-${hex}.sig`,
  ])
    assert.equal(companionOf(tag), undefined, tag);
});
