// Owns a storm of kills: a fleet and clients on one daemon that is killed at random moments, and the count of what went wrong.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox } from '../fixtures/busybox.ts';
import { freePort } from '../support/addresses.ts';
import { run } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';
import { startClient } from './clients.ts';
import { launchFleet } from './fleet.ts';

export interface StormOptions {
  readonly kills: number;
  /** Members of each kind in the fleet. */
  readonly fleet: number;
  readonly clients: number;
}

export interface StormResult {
  readonly lives: number;
  /** Calls that a kill cut off. */
  readonly cut: number;
  /** From the start of the process to its first answer, milliseconds. */
  readonly startsMs: readonly number[];
}

/** Longest time between a start and the next kill. */
const LONGEST_LIFE_MS = 1500;

/** @throws AssertionError when anything was lost, is wrong or is left over */
export async function killStorm({ kills, fleet, clients }: StormOptions): Promise<StormResult> {
  await using daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
  const members = await launchFleet(daemon, fleet, [await freePort(), await freePort()]);
  const working = Array.from({ length: clients }, (_, n) => startClient(daemon, n));
  const startsMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await sleep(randomInt(LONGEST_LIFE_MS));
    await daemon.kill9();
    const beganMs = performance.now();
    await daemon.start();
    startsMs.push(performance.now() - beganMs);
  }
  const ends = await Promise.all(working.map((client) => client.stop()));
  for (const member of members) await member.check(daemon);
  await checkNothingLeft(daemon);
  const sum = (key: 'lives' | 'cut'): number => ends.reduce((total, end) => total + end[key], 0);
  return { lives: sum('lives'), cut: sum('cut'), startsMs };
}

/** Removes the fleet; then nothing of any container is on this machine. */
async function checkNothingLeft(daemon: Daemon): Promise<void> {
  const list = async (): Promise<{ Id: string; Names: string[]; State: string }[]> =>
    (await daemon.api('GET', '/containers/json?all=1')).json();
  for (const { Id } of await list()) {
    const removed = await daemon.api('DELETE', `/containers/${Id}?force=1&v=1`);
    assert.ok([204, 404, 409].includes(removed.status), removed.text);
  }
  await eventually('no container', async () => (await list()).length === 0);
  const names = (...path: string[]): readonly string[] => readdirSync(join(daemon.root, ...path));
  await eventually('no shim', () => names('run', 'shims').length === 0);
  await eventually('no folder', () => names('data', 'containers').length === 0);
  const volumes = (await daemon.api('GET', '/volumes')).json<{ Volumes: { Name: string }[] | null }>().Volumes ?? [];
  assert.deepEqual(
    volumes.map(({ Name }) => Name),
    [],
  );
  assert.deepEqual(names('data', 'volumes'), []);
  await eventually('no link on the bridge', () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length === 0);
  const rules = await run('nft', ['list', 'ruleset']);
  const own = rules.stdout.split(/^table /m).find((table) => table.includes(`"${daemon.bridge}"`)) ?? '';
  assert.doesNotMatch(own, /elements = \{[^}]*\d+\.\d+\.\d+\.\d+ : \d/, `ports are still published:\n${own}`);
  assert.ok(existsSync(`/proc/${daemon.pid}`));
  const log = daemon.log();
  const bugs = log.split('\n').filter((line) => line.includes('bug:'));
  assert.deepEqual(bugs, []);
}
