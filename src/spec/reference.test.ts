// Pins the reference grammar and Docker's wording of its refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../lib/errors.ts';
import { canonicalReference, familiarReference, parseReference, withDefaultTag } from './reference.ts';

const HEX = 'a'.repeat(64);

test('names are completed as Docker completes them, and shortened back', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
    ['nginx:1.2', 'docker.io/library/nginx:1.2', 'nginx:1.2'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
    ['a/b', 'docker.io/a/b:latest', 'a/b:latest'],
    ['localhost/b', 'localhost/b:latest', 'localhost/b:latest'],
    ['127.0.0.1:5000/app:1', '127.0.0.1:5000/app:1', '127.0.0.1:5000/app:1'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    [`nginx@sha256:${HEX}`, `docker.io/library/nginx@sha256:${HEX}`, `nginx@sha256:${HEX}`],
    [`q.io/x/y:t@sha256:${HEX}`, `q.io/x/y:t@sha256:${HEX}`, `q.io/x/y:t@sha256:${HEX}`],
    ['UPPER/x', 'UPPER/x:latest', 'UPPER/x:latest'],
    ['a__b/c--d.e', 'docker.io/a__b/c--d.e:latest', 'a__b/c--d.e:latest'],
  ];
  for (const [text, canonical, familiar] of cases) {
    const reference = withDefaultTag(parseReference(text));
    assert.equal(canonicalReference(reference), canonical);
    assert.equal(familiarReference(reference), familiar);
  }
});

test('bad names are refused in the words that clients search for', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Bad', 'invalid reference format: repository name (library/Bad) must be lowercase'],
    ['a/Bad:X', 'invalid reference format: repository name (a/Bad) must be lowercase'],
    ['', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a@', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['a@sha256:12', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    [`x:${'t'.repeat(129)}`, 'invalid reference format'],
    [`a@sha256:${HEX}0`, 'invalid checksum digest length'],
    [`a@md5:${HEX}`, 'unsupported digest algorithm'],
    ['a'.repeat(256), 'repository name must not be more than 255 characters'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    ['a'.repeat(100_000), 'invalid reference format'],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseReference(text),
      (error: unknown) => isGantryError(error, 'invalid') && error.message === message,
      text,
    );
  }
});
