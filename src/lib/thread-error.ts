// Owns the form in which an error goes from one thread to another: a class does not survive the way.

import { errnoOf, systemFailure } from './errno.ts';
import { errnoWords } from './errno-words.ts';
import { type ErrorCode, type ErrorKind, GantryError, messageOf } from './errors.ts';

/** The code of an error that is no expected failure. */
const BUG = 'BUG';

/** `kind` undefined: a bug, `message` holds its stack. */
export interface SentError {
  readonly kind: ErrorKind | undefined;
  readonly code: ErrorCode | typeof BUG;
  readonly message: string;
  readonly hint: string | undefined;
}

/** `error` in a form that can be posted. Failed system calls become errors for users. */
export function sentError(error: unknown): SentError {
  const known = error instanceof GantryError ? error : systemError(error);
  if (known) return { kind: known.kind, code: known.code, message: known.message, hint: known.hint };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: undefined, code: BUG, message: text, hint: undefined };
}

/** The error that was sent. */
export function receivedError(error: SentError): Error {
  if (error.kind === undefined || error.code === BUG) return new Error(error.message);
  return new GantryError(error.kind, error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

/** A failure of the system: ours says call, path and words; Node's is put in that form. */
export function systemError(error: unknown): GantryError | undefined {
  const code = errnoOf(error);
  if (code === undefined) return undefined;
  const { syscall, path } = error as { syscall?: unknown; path?: unknown };
  const isNodes = error instanceof Error && error.message.startsWith(`${code}: `);
  const message = isNodes ? `${syscall ?? 'access'} ${path ?? ''}: ${errnoWords(code)}` : messageOf(error);
  return systemFailure(code, message, error);
}
