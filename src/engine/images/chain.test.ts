// Checks the chain ids by which `docker rmi` names the layers that go.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { digestOfHex } from '../../spec/digest.ts';
import { chainIds } from './chain.ts';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => digestOfHex(letter.repeat(64)));
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

test('a base layer is its own chain, and each further one is hashed with all that lies below', () => {
  assert.ok(A && B && C);
  const ab = sha256(`${A} ${B}`);
  assert.deepEqual(chainIds([A, B, C]), [A, ab, sha256(`${ab} ${C}`)]);
  assert.deepEqual(chainIds([]), []);
});

test('the same layer over another base is another chain', () => {
  assert.ok(A && B && C);
  assert.notEqual(chainIds([A, C])[1], chainIds([B, C])[1]);
});
