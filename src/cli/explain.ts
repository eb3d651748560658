// Owns the text and exit code of a failed command, in Docker's words, with one line on what to do next where that is known.
import { isApiError } from '../client/index.ts';
import { GantryError, messageOf } from '../lib/errors.ts';
import { CommandFailure, HintedError } from './failure.ts';
import { HINT_OF_CODE } from './hints.table.ts';

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
  const lines = [failureText(error), ...(hint === undefined ? [] : hint.split('\n').map((line) => `Hint: ${line}`))];
  if (debug && isBug(error)) lines.push(error.stack ?? '');
  return { text: lines.join('\n').replace(/\n+$/, ''), exitCode };
}

/** One failure of several: each in its line, and their hints once each. */
export function joinFailures(errors: readonly unknown[]): CommandFailure {
  const hints = new Set(errors.map(hintOf).filter((hint) => hint !== undefined));
  const hint = hints.size === 0 ? undefined : [...hints].join('\n');
  return new CommandFailure(1, errors.map(failureText).join('\n'), hint);
}

/** Failures that are meant have their words; anything else is a fault of the program. */
function isBug(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof HintedError || error instanceof GantryError);
}

/** What to do next, where it is known. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof HintedError) return error.hint;
  return error instanceof GantryError ? (error.hint ?? HINT_OF_CODE[error.code]) : undefined;
}
