// Every verb of images, many times over: descriptors, threads, timers, sockets, files and memory are as they were.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import { IMAGE_VERBS, type LeakSetting } from './leak-verbs.ts';
import { openWorkbench } from './support.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const WARM_UP = 15;
const ROUNDS = 60;
/** Under 18 KB a round, where each round handles over 50. What the program learns of itself grows the heap by some KB for a while. */
const HEAP_MAX_BYTES = 1 << 20;

interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly resources: number;
  readonly files: readonly string[];
}

/** What this process holds, apart from connections that are kept for the next request. */
function heldBy({ bench }: LeakSetting): Held {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    resources: process.getActiveResourcesInfo().length,
    files: bench.leftovers(),
  };
}

/** Waits until nothing more is given back, and answers what is held then. */
async function settled(setting: LeakSetting, goal?: Held): Promise<Held> {
  for (let i = 0; ; i++) {
    const held = heldBy(setting);
    const isGoal =
      goal === undefined ||
      (held.descriptors <= goal.descriptors && held.threads <= goal.threads && held.resources <= goal.resources);
    if ((isGoal && i > 10) || i === 100) return held;
    await sleep(20);
  }
}

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

for (const verb of IMAGE_VERBS) {
  test(`${verb.name}, ${ROUNDS} times, leaves the engine as it was`, async () => {
    await using registry = await openFakeRegistry();
    await using bench = openWorkbench();
    const setting = { bench, registry };
    for (let round = 0; round < WARM_UP; round++) await verb.run(setting, round);
    const before = await settled(setting);
    const heapBefore = heapBytes();
    for (let round = WARM_UP; round < WARM_UP + ROUNDS; round++) await verb.run(setting, round);
    const after = await settled(setting, before);
    assert.ok(
      after.descriptors <= before.descriptors,
      `${after.descriptors} descriptors, ${before.descriptors} before`,
    );
    assert.ok(after.threads <= before.threads, `${after.threads} threads, ${before.threads} before`);
    assert.ok(after.resources <= before.resources, `held: ${process.getActiveResourcesInfo().join(' ')}`);
    assert.deepEqual(after.files, before.files);
    assert.deepEqual(after.files, []);
    const grown = heapBytes() - heapBefore;
    assert.ok(grown < HEAP_MAX_BYTES, `the heap grew by ${grown} bytes`);
  });
}
