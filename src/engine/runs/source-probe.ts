// Owns looking at bind sources in a process of their own. A network file system can hang: that must cost this process no thread.

import { constants } from 'node:os';
import { isGantryError } from '../../lib/errors.ts';
import type { Spawner } from '../../runtime/link/index.ts';
import type { SourceRequest } from '../containers/index.ts';

/** As long as a spun-down disk or a reconnecting file server may take. */
const LIMIT_MS = 10_000;

/** See Launcher.probeSource. */
export async function probeSource(
  spawner: Pick<Spawner, 'run'>,
  { path, create }: SourceRequest,
  timeoutMs: number = LIMIT_MS,
): Promise<number> {
  try {
    await spawner.run({ args: [], steps: [{ verb: create ? 'mkdirs' : 'stat', path }], timeoutMs });
    return 0;
  } catch (error) {
    // A process that even SIGKILL does not free keeps the spawner's answer back.
    if (isGantryError(error) && error.code === 'SHIM_SILENT') return constants.errno.ETIMEDOUT;
    const { errno } = isGantryError(error) && error.code === 'SHIM_FAILED' ? error.params : {};
    if (typeof errno !== 'number' || errno === 0) throw error;
    return errno;
  }
}
