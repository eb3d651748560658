import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFileLimit, openFileWarning } from './limits.ts';

test('the limit of open files is read, and a low one is told', () => {
  assert.ok(openFileLimit() >= 256);
  assert.match(openFileWarning(1024) ?? '', /^WARNING: .*only 1024 files.*LimitNOFILE/);
  assert.equal(openFileWarning(1_048_576), undefined);
  assert.equal(openFileWarning(Number.POSITIVE_INFINITY), undefined);
});
