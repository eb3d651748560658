// Owns what a killed daemon left that belongs to no container any more: run directories, runtime states, cgroups.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupPathOf } from '../../runtime/bundle/index.ts';
import type { RunsDeps } from './index.ts';
import { adoptRun, runDirOf, sweepRun } from './run-dir.ts';

/**
 * Frees everything of containers that are not in `known`. A shim that still lives without a container's record is an exec's: its
 * process goes on, and its directory is freed when it ends (`background` keeps that work).
 */
export async function sweepOrphans(
  deps: RunsDeps,
  known: ReadonlySet<string>,
  background: (work: Promise<unknown>) => void,
): Promise<void> {
  await sweepRuntimeStates(deps, known);
  const owned = new Set([...known].map((id) => runDirOf(deps.shimsDir, id)));
  for (const name of await names(deps.shimsDir)) {
    const dir = join(deps.shimsDir, name);
    if (!owned.has(dir)) background(sweepShim(deps, dir));
  }
}

async function sweepShim(deps: RunsDeps, dir: string): Promise<void> {
  const run = await adoptRun(dir);
  // Never started, and nobody is left who would.
  if (run?.connection.latest?.kind === 'ready') await run.connection.abandon().catch(() => undefined);
  await run?.closed;
  await sweepRun(deps.spawner, undefined, '', dir);
}

/** Containers that the runtimes know and we do not: killed, state and cgroup removed. */
async function sweepRuntimeStates(deps: RunsDeps, known: ReadonlySet<string>): Promise<void> {
  for (const driver of deps.drivers.values()) {
    for (const id of await names(driver.stateDir)) {
      if (known.has(id) || !/^[0-9a-f]{64}$/.test(id)) continue;
      await sweepRun(deps.spawner, driver, id, runDirOf(deps.shimsDir, id));
    }
  }
  for (const id of await deps.cgroups.children(deps.host.cgroupParent)) {
    if (!known.has(id))
      await deps.cgroups.remove(cgroupPathOf(undefined, deps.host.cgroupParent, id)).catch(() => undefined);
  }
}

async function names(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch(() => []);
}
