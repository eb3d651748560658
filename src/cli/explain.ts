// Owns the text and exit code of a failed command, in Docker's words, with one line on what to do next.
import { isApiError } from '../client/index.ts';
import { GantryError, messageOf } from '../lib/errors.ts';
import { CommandFailure } from './failure.ts';

/** What to print on stderr, and the exit code. */
export interface Explanation {
  readonly text: string;
  readonly exitCode: number;
}

/** The first line of a failure, as Docker words it: daemon answers carry their prefix. */
export function failureText(error: unknown): string {
  return isApiError(error) ? `Error response from daemon: ${error.message}` : messageOf(error);
}

/** Explains anything thrown; a bug shows its stack when `debug` is on. */
export function explainFailure(error: unknown, debug: boolean): Explanation {
  const exitCode = error instanceof CommandFailure ? error.exitCode : 1;
  const hint = hintOf(error);
  const lines = [failureText(error), ...(hint === undefined ? [] : [`Hint: ${hint}`])];
  if (debug && isBug(error)) lines.push(error.stack ?? '');
  return { text: lines.join('\n').replace(/\n+$/, ''), exitCode };
}

/** Failures that are meant have their words; anything else is a fault of the program. */
function isBug(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof CommandFailure || error instanceof GantryError);
}

/** What to do next, where it helps and the daemon's text does not say so already. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof CommandFailure) return error.hint;
  if (isApiError(error)) return daemonHint(error.status, error.message);
  return error instanceof GantryError ? error.hint : undefined;
}

const DAEMON_HINTS: readonly (readonly [number, RegExp, string])[] = [
  [409, /container name ".*" is already in use/, 'remove the other with "gantry rm -f NAME", or choose another --name'],
  [404, /^No such container/, 'list every container with "gantry ps -a"'],
  [
    500,
    /port is already allocated|address already in use/,
    'see who publishes the port with "gantry ps", or choose another',
  ],
];

function daemonHint(status: number, message: string): string | undefined {
  return DAEMON_HINTS.find(([wanted, pattern]) => wanted === status && pattern.test(message))?.[2];
}
