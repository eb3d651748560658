import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ContainerRecord } from '../containers/types.ts';
import { createHealth, type HealthDeps } from './index.ts';

const CHECK = { Test: ['CMD', 'probe'], Interval: 1e9, Timeout: 2e9, Retries: 2 };

/** Health of one container whose probe answers what `outcome` says; time is mocked. */
function openHealth(t: TestContext, healthcheck: object | undefined = CHECK) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  const bench = {
    container: {
      id: 'c',
      config: { Healthcheck: healthcheck },
      state: { phase: 'running' },
    } as unknown as ContainerRecord,
    outcome: (async () => ({ exitCode: 0, output: '' })) as HealthDeps['probe'],
    asked: [] as string[],
    told: [] as string[],
    async pass(ms: number): Promise<void> {
      nowMs += ms;
      t.mock.timers.tick(ms);
      for (let turn = 0; turn < 3; turn++) await setImmediate();
    },
  };
  const health = createHealth({
    probe: (container, command, timeoutMs) => {
      bench.asked.push(`${command.join(' ')} ${timeoutMs}`);
      return bench.outcome(container, command, timeoutMs);
    },
    find: () => bench.container,
    changed: (_container, { status }) => void bench.told.push(status),
  });
  t.after(() => health[Symbol.dispose]());
  return { bench, health };
}

test('a container is probed at its interval, and each change is told once', async (t) => {
  const { bench, health } = openHealth(t);
  health.started(bench.container);
  assert.equal(health.of('c')?.status, 'starting');
  await bench.pass(999);
  assert.deepEqual(bench.asked, []);
  await bench.pass(1);
  assert.deepEqual(bench.asked, ['probe 2000']);
  for (let round = 0; round < 3; round++) await bench.pass(1000);
  bench.outcome = async () => ({ exitCode: 1, output: 'ill' });
  for (let round = 0; round < 3; round++) await bench.pass(1000);
  assert.deepEqual(bench.told, ['healthy', 'unhealthy']);
  assert.equal(health.of('c')?.log.at(-1)?.output, 'ill');
});

test('a probe that takes too long, or cannot run, counts as a failure and says why', async (t) => {
  const { bench, health } = openHealth(t);
  health.started(bench.container);
  bench.outcome = async () => ({ exitCode: undefined, output: 'half' });
  await bench.pass(1000);
  bench.outcome = () => Promise.reject(new Error('exec: "probe": not found'));
  await bench.pass(1000);
  const { status, failingStreak, log } = health.of('c') ?? assert.fail();
  assert.deepEqual([status, failingStreak], ['unhealthy', 2]);
  assert.deepEqual(
    log.map(({ exitCode, output }) => [exitCode, output]),
    [
      [-1, 'Health check exceeded timeout (2s): half'],
      [-1, 'exec: "probe": not found'],
    ],
  );
});

test('a paused container is not probed, and is again when it goes on', async (t) => {
  const { bench, health } = openHealth(t);
  health.started(bench.container);
  const running = bench.container;
  bench.container = { ...running, state: { ...running.state, phase: 'paused' } };
  await bench.pass(1000);
  assert.deepEqual(bench.asked, []);
  bench.container = running;
  await bench.pass(1000);
  assert.equal(bench.asked.length, 1);
});

test('one probe runs at a time, however long it takes', async (t) => {
  const { bench, health } = openHealth(t);
  const slow = Promise.withResolvers<{ exitCode: number; output: string }>();
  bench.outcome = () => slow.promise;
  health.started(bench.container);
  for (let round = 0; round < 5; round++) await bench.pass(1000);
  assert.equal(bench.asked.length, 1);
  slow.resolve({ exitCode: 0, output: '' });
  await bench.pass(0);
  await bench.pass(1000);
  assert.equal(bench.asked.length, 2);
});

test('a stopped container is unhealthy and probed no more, also by a probe that was under way', async (t) => {
  const { bench, health } = openHealth(t);
  const slow = Promise.withResolvers<{ exitCode: number; output: string }>();
  bench.outcome = () => slow.promise;
  health.started(bench.container);
  await bench.pass(1000);
  health.stopped('c');
  assert.deepEqual([health.of('c')?.status, health.of('c')?.failingStreak], ['unhealthy', 0]);
  slow.resolve({ exitCode: 0, output: '' });
  await bench.pass(5000);
  assert.equal(bench.asked.length, 1);
  assert.equal(health.of('c')?.status, 'unhealthy');
  assert.deepEqual(bench.told, []);
});

test('the probe of an earlier run says nothing of the present one', async (t) => {
  const { bench, health } = openHealth(t);
  const slow = Promise.withResolvers<{ exitCode: number; output: string }>();
  bench.outcome = () => slow.promise;
  health.started(bench.container);
  await bench.pass(1000);
  health.stopped('c');
  bench.outcome = async () => ({ exitCode: 1, output: '' });
  health.started(bench.container);
  slow.resolve({ exitCode: 0, output: '' });
  await bench.pass(0);
  assert.equal(health.of('c')?.status, 'starting');
  await bench.pass(1000);
  assert.equal(health.of('c')?.log.length, 1);
});

test('a container without a check, or that is gone, has no health', async (t) => {
  const { bench, health } = openHealth(t, { Test: ['NONE'] });
  health.started(bench.container);
  assert.equal(health.of('c'), undefined);
  const checked = { ...bench.container, config: { Healthcheck: CHECK } } as ContainerRecord;
  health.started(checked);
  health.removed('c');
  assert.equal(health.of('c'), undefined);
  await bench.pass(5000);
  assert.deepEqual(bench.asked, []);
  health.stopped('c');
});
