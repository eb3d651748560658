// Owns the run directories of shims: their names, making, joining and removing.

import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { deleteArgs, type RuntimeDriver } from '../../runtime/drivers/index.ts';
import { connectShim, type Spawner, type Step } from '../../runtime/link/index.ts';
import type { Run } from '../containers/index.ts';

/** 96 bits of an id name its run directory: socket paths are limited to 108 bytes. */
const NAME_LENGTH = 24;
const DELETE_TIMEOUT_MS = 20_000;

export function runDirOf(shimsDir: string, id: string): string {
  return joinPath(shimsDir, id.slice(0, NAME_LENGTH));
}

/** Makes an empty run directory; what an earlier run left there goes. */
export async function makeRunDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    removeRunDir(dir);
    await mkdir(dir, { mode: 0o700 });
  }
}

/** Joins the shim of `dir`. @throws SHIM_GONE */
export async function joinRun(dir: string): Promise<Run> {
  return (await join(dir)).run;
}

/** Joins the shim of `dir` if one lives, and waits for its first word. */
export async function adoptRun(dir: string): Promise<Run | undefined> {
  try {
    const { run, spoke } = await join(dir);
    await spoke;
    if (run.connection.latest?.kind !== 'closed') return run;
    run.connection[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (isGantryError(error, 'unavailable')) return undefined;
    throw error;
  }
}

async function join(dir: string): Promise<{ readonly run: Run; readonly spoke: Promise<void> }> {
  const closed = Promise.withResolvers<void>();
  const spoke = Promise.withResolvers<void>();
  const connection = await connectShim(dir, (event) => {
    spoke.resolve();
    if (event.kind === 'closed') closed.resolve();
  });
  return { run: { dir, connection, closed: closed.promise }, spoke: spoke.promise };
}

/** Steps that put a runtime's command into a mount namespace of its own, when it needs one. */
export function commandSteps(driver: RuntimeDriver): readonly Step[] {
  return driver.steps.length === 0 ? [] : [{ verb: 'unshare', what: 'mount' }, ...driver.steps];
}

/** Runs a short command of the runtime. @throws RUNTIME_FAILED with what it said */
export async function runCommand(spawner: Spawner, driver: RuntimeDriver, args: readonly string[]): Promise<void> {
  const { code, err } = await spawner.run({ args, steps: commandSteps(driver), timeoutMs: DELETE_TIMEOUT_MS });
  if (code === 0) return;
  throw new GantryError('system', 'RUNTIME_FAILED', `${driver.name}: ${err.trim() || `exit status ${code}`}`, {
    params: { code },
  });
}

/** Kills what is left of a container in the runtime and the kernel, then removes its run directory. Absent is fine. */
export async function sweepRun(
  spawner: Spawner,
  driver: RuntimeDriver | undefined,
  id: string,
  dir: string,
): Promise<void> {
  if (driver) {
    await spawner
      .run({ args: deleteArgs(driver, id), steps: commandSteps(driver), timeoutMs: DELETE_TIMEOUT_MS })
      .catch(() => undefined);
  }
  removeRunDir(dir);
}

/** A run directory holds a dozen small files of ours: taken away at once in native code, a fifth of what the asynchronous walk costs. */
function removeRunDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
