import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Departed } from './auto-removal.ts';
import type { ContainerRecord } from './types.ts';

const gone = (id: string, name: string, exitCode: number) => ({ id, name, state: { exitCode } }) as ContainerRecord;

test('a wait that comes late finds the exit code by id, name and id prefix; the newest of a name counts', () => {
  const departed = new Departed();
  departed.add(gone('aa11', 'job', 3));
  departed.add(gone('bb22', 'job', 4));
  assert.deepEqual(
    ['aa11', 'job', '/job', 'bb', 'cc', ''].map((ref) => departed.exitCodeOf(ref)),
    [3, 4, 4, 4, undefined, undefined],
  );
});

test('outcomes are kept for ten seconds, and 256 at most', (t) => {
  const departed = new Departed();
  for (let at = 0; at < 300; at++) departed.add(gone(`id${at}.`, `name${at}`, at));
  assert.equal(departed.exitCodeOf('id43.'), undefined);
  assert.equal(departed.exitCodeOf('id44.'), 44);
  const now = performance.now();
  t.mock.method(performance, 'now', () => now + 10_001);
  assert.equal(departed.exitCodeOf('id299.'), undefined);
});
