// Owns the run directories of shims: their names, making, joining and removing.

import { rmSync } from 'node:fs';
import { mkdir, readlink } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import { within } from '../../lib/within.ts';
import { deleteArgs, type RuntimeDriver } from '../../runtime/drivers/index.ts';
import {
  connectShim,
  isShimGone,
  readShimPid,
  type ShimConnection,
  type Spawner,
  type Step,
} from '../../runtime/link/index.ts';
import type { Run } from '../containers/index.ts';

/** 96 bits of an id name its run directory: socket paths are limited to 108 bytes. */
const NAME_LENGTH = 24;
const DELETE_TIMEOUT_MS = 20_000;
/** A shim tells its state as soon as somebody connects. One that does not is stopped, or the machine hardly moves. */
const FIRST_WORD_MS = 2000;
/** SIGKILL ends a shim at once, unless the kernel holds it. */
const KILLED_MS = 5000;

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

/**
 * Joins the shim of `dir` if one lives, and waits for its first word, but not for long: without one, the connection's `latest` is
 * undefined, and events follow when the shim goes on.
 * @throws SHIM_SILENT
 */
export async function adoptRun(dir: string): Promise<Run | undefined> {
  try {
    const { run, spoke } = await join(dir);
    await within(spoke, FIRST_WORD_MS);
    if (run.connection.latest?.kind !== 'closed') return run;
    run.connection[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (isShimGone(error)) return undefined;
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
  const end = async (graceMs: number): Promise<void> => {
    if (await within(closed.promise, graceMs)) return;
    await killShim(dir, connection);
    await within(closed.promise, KILLED_MS);
  };
  return { run: { dir, connection, closed: closed.promise, end }, spoke: spoke.promise };
}

/** While its connection is open the shim lives, so its pid is nobody else's. */
async function killShim(dir: string, connection: ShimConnection): Promise<void> {
  const pid = await readShimPid(dir).catch(() => undefined);
  const program = pid && (await readlink(`/proc/${pid}/exe`).catch(() => ''));
  if (!pid || !program || !/\/gantry-shim[^/]*$/.test(program)) return;
  if (connection.latest?.kind !== 'closed') process.kill(pid, 'SIGKILL');
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
