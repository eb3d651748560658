import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_STATE } from './plan/create.ts';
import { nextDelayMs, restartsAfterExit, restartsWithDaemon } from './state.ts';
import type { ContainerState } from './types.ts';

const exited = (change: Partial<ContainerState> = {}): ContainerState => ({
  ...INITIAL_STATE,
  phase: 'exited',
  ...change,
});

test('a failing container is restarted after 100 ms, 200 ms, … at most a minute; a steady run starts over', () => {
  assert.equal(nextDelayMs(0, 5), 100);
  assert.equal(nextDelayMs(100, 5), 200);
  assert.equal(nextDelayMs(51_200, 5), 60_000);
  assert.equal(nextDelayMs(51_200, 10_000), 100);
});

test('restart policies after an exit', () => {
  const failed = exited({ exitCode: 1 });
  assert.equal(restartsAfterExit({ Name: 'no' }, failed), false);
  assert.equal(restartsAfterExit({ Name: 'always' }, exited()), true);
  assert.equal(restartsAfterExit({ Name: 'always' }, exited({ stoppedByHand: true })), false);
  assert.equal(restartsAfterExit({ Name: 'unless-stopped' }, failed), true);
  assert.equal(restartsAfterExit({ Name: 'on-failure' }, exited()), false);
  assert.equal(restartsAfterExit({ Name: 'on-failure' }, failed), true);
  assert.equal(restartsAfterExit({ Name: 'on-failure', MaximumRetryCount: 2 }, { ...failed, restartCount: 2 }), false);
});

test('restart policies at the start of the daemon: always even after a stop by hand, unless-stopped not', () => {
  const stopped = exited({ exitCode: 137, stoppedByHand: true });
  assert.equal(restartsWithDaemon({ Name: 'always' }, stopped), true);
  assert.equal(restartsWithDaemon({ Name: 'unless-stopped' }, stopped), false);
  assert.equal(restartsWithDaemon({ Name: 'on-failure' }, stopped), false);
  assert.equal(restartsWithDaemon({ Name: 'on-failure' }, exited({ exitCode: 3 })), true);
  assert.equal(restartsWithDaemon({ Name: 'always' }, INITIAL_STATE), false);
});
