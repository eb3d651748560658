// The fake keeps to the contract of the mount door; the real door: test/engine/mount-door.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountsContract } from './contract.ts';
import { FakeMounts } from './fake-mounts.ts';

mountsContract('the fake mount door', () => new FakeMounts());

test('the fake mount door fails once when told to, and says what it was asked for', async () => {
  const mounts = new FakeMounts();
  mounts.failNext('detach', new Error('busy'));
  assert.throws(() => mounts.detach('/a'), /busy/);
  mounts.detach('/a');
  assert.deepEqual(mounts.calls, ['detach /a', 'detach /a']);
});
