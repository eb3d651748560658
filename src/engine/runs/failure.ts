// Owns turning a shim's failure into the engine's error, in Docker's words, with the exit code that goes with it.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import { describeStartFailure, type StartAttempt, startError } from '../../runtime/drivers/index.ts';
import { readExitRecord, shimFailed } from '../../runtime/link/index.ts';

/** For anything that went wrong before a process could have run. @source docker-behaviours §3 */
const NOT_STARTED = 128;

/** The exit code of a container or exec whose start failed with `error`. */
export function exitCodeOf(error: unknown): number {
  const code = isGantryError(error) ? error.params.exitCode : undefined;
  return typeof code === 'number' ? code : NOT_STARTED;
}

/** A shim whose steps fail may be gone before it is heard; what it had to say lies in its run directory. */
export async function whatShimLeft(error: unknown, dir: string): Promise<unknown> {
  if (!isGantryError(error) || error.code !== 'SHIM_GONE') return error;
  const left = await readExitRecord(dir).catch(() => undefined);
  return left?.kind === 'failed' ? shimFailed('start', left) : error;
}

/** A failure framed by the shim becomes what Docker says of it; anything else stays as it is. */
export function inDockersWords(error: unknown, attempt: StartAttempt): unknown {
  if (!(error instanceof GantryError) || error.code !== 'SHIM_FAILED') return error;
  const { stage = '', errno = 0, text = '' } = error.params;
  return startError(describeStartFailure(attempt, { stage: String(stage), errno: Number(errno), text: String(text) }));
}
