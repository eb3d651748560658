import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterProbe, durationText, type HealthPlan, healthPlan, INITIAL_HEALTH, nextProbeMs } from './rules.ts';

const PLAN: HealthPlan = {
  command: ['x'],
  intervalMs: 30_000,
  timeoutMs: 1000,
  startPeriodMs: 60_000,
  startIntervalMs: 5000,
  retries: 2,
};
const probe = (exitCode: number) => ({ start: '', end: '', exitCode, output: '' });

test('the three forms of a check, and its defaults', () => {
  assert.equal(healthPlan({ Test: ['NONE'] }, undefined), undefined);
  assert.equal(healthPlan(undefined, undefined), undefined);
  assert.deepEqual(healthPlan({ Test: ['CMD', 'a', 'b'] }, undefined)?.command, ['a', 'b']);
  const plan = healthPlan({ Test: ['CMD-SHELL', 'a b'], Interval: 1e9 }, ['/bin/bash', '-c']);
  assert.deepEqual(plan, {
    command: ['/bin/bash', '-c', 'a b'],
    intervalMs: 1000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5000,
    retries: 3,
  });
});

test('failures in the start period do not count; the first success ends it', () => {
  const early = afterProbe(INITIAL_HEALTH, PLAN, probe(1), 1000);
  assert.deepEqual([early.status, early.failingStreak], ['starting', 0]);
  assert.equal(nextProbeMs(early, PLAN, 1000), 5000);
  const well = afterProbe(early, PLAN, probe(0), 2000);
  assert.equal(well.status, 'healthy');
  assert.equal(nextProbeMs(well, PLAN, 2000), 30_000);
  const ill = afterProbe(afterProbe(well, PLAN, probe(1), 3000), PLAN, probe(1), 4000);
  assert.deepEqual([ill.status, ill.failingStreak, ill.log.length], ['unhealthy', 2, 4]);
});

test('the log keeps five probes', () => {
  let state = INITIAL_HEALTH;
  for (let n = 0; n < 9; n++) state = afterProbe(state, PLAN, probe(n), 100_000);
  assert.deepEqual(
    state.log.map(({ exitCode }) => exitCode),
    [4, 5, 6, 7, 8],
  );
});

test('durations read as Go prints them', () => {
  assert.deepEqual([500, 1000, 30_000, 90_000, 3_600_000].map(durationText), ['500ms', '1s', '30s', '1m30s', '1h0m0s']);
});
