// Owns what a failed run is called: the runtime's words in the form that Docker's clients decide exit codes from.

import { GantryError, messageOf } from '../../lib/errors.ts';

/** The command could not be found; could not be executed; anything else went wrong before the process ran. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const NOT_STARTED = 128;

/** The exit code of a container or exec whose start failed with `error`. @source docker-behaviours §3 */
export function exitCodeOf(error: unknown): number {
  const text = messageOf(error);
  if (/executable file not found|no such file or directory/.test(text)) return NOT_FOUND;
  if (/permission denied|is a directory/.test(text)) return NOT_EXECUTABLE;
  return NOT_STARTED;
}

/** The error as Docker words it. */
export function inDockersWords(error: unknown, _doing: 'prepare' | 'start' | 'exec'): unknown {
  if (!(error instanceof GantryError) || error.code !== 'SHIM_FAILED') return error;
  return error;
}
