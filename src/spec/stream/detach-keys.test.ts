import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_DETACH_KEYS, detachMatcher } from './detach-keys.ts';

test('the sequence is found across chunks; what came before it goes on', () => {
  const match = detachMatcher(DEFAULT_DETACH_KEYS);
  assert.deepEqual(match(Buffer.from('ls\x10')), { pass: Buffer.from('ls'), found: false });
  assert.deepEqual(match(Buffer.from('\x11rest')), { pass: Buffer.from(''), found: true });
});

test('a broken sequence is released with the byte that breaks it, and may begin anew', () => {
  const match = detachMatcher(DEFAULT_DETACH_KEYS);
  assert.deepEqual(match(Buffer.from('\x10a')), { pass: Buffer.from('\x10a'), found: false });
  assert.deepEqual(match(Buffer.from('\x10\x10')), { pass: Buffer.from('\x10'), found: false });
  assert.equal(match(Buffer.from('\x11')).found, true);
});
