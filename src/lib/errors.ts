// Owns the one error type that users may see, and its kinds. Knows nothing of HTTP statuses or exit codes.

import { type Errno, errnoWords } from './errno-words.ts';

/** What went wrong, by meaning. Each outer face (API, registry, CLI) maps every kind exhaustively. */
export type ErrorKind =
  | 'invalid' // the request can never succeed as written
  | 'unauthorized' // no or wrong credentials
  | 'forbidden' // understood, refused by policy or state that the caller cannot change
  | 'notFound'
  | 'conflict' // the object's present state does not allow it
  | 'notModified' // already so
  | 'notImplemented'
  | 'unavailable' // a party we need does not answer
  | 'exhausted' // disk, addresses, ports, memory
  | 'cancelled'
  | 'system'; // the host failed us

/**
 * Every code of a failure of ours, with its kinds. Each capability adds its own in its `codes.ts`.
 * @public
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the capabilities
export interface ErrorCodes {}

/** What a program can tell failures apart by: a code of ours, or the operating system's. */
export type ErrorCode = keyof ErrorCodes | Errno;

/** Facts that a message quotes, kept apart so that programs need not parse the text. */
export type ErrorParams = Readonly<Record<string, string | number | boolean | undefined>>;

/** Optional parts of a GantryError. `hint` says what to do next; `cause` is the error underneath. */
export interface ErrorDetails {
  readonly params?: ErrorParams;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An expected failure: shown to the user as it is. Bugs stay plain `Error`. */
export class GantryError extends Error {
  readonly kind: ErrorKind;
  /** Stable, upper snake case, e.g. `CONTAINER_NAME_TAKEN`. */
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GantryError';
    this.kind = kind;
    this.code = code;
    this.params = details.params ?? {};
    this.hint = details.hint;
  }

  /** The same failure, said within a larger act: `prefix` comes before the message. */
  prefixed(prefix: string): GantryError {
    const { kind, code, params, hint } = this;
    return new GantryError(kind, code, `${prefix}${this.message}`, { params, hint, cause: this });
  }

  /** The same failure, which the caller has to answer for in another way. */
  ofKind(kind: ErrorKind): GantryError {
    const { code, message, params, hint } = this;
    return new GantryError(kind, code, message, { params, hint, cause: this });
  }

  /** The same failure with what to do about it. */
  withHint(hint: string): GantryError {
    const { kind, code, message, params } = this;
    return new GantryError(kind, code, message, { params, hint, cause: this });
  }
}

/** True when `error` is an expected failure, of `kind` when one is given. */
export function isGantryError(error: unknown, kind?: ErrorKind): error is GantryError {
  return error instanceof GantryError && (kind === undefined || error.kind === kind);
}

/** The text of anything thrown, for users and for wrapping into another message. */
export function messageOf(error: unknown): string {
  return systemCallText(error) ?? (error instanceof Error ? error.message : String(error));
}

/** Calls on an open descriptor, whose errors name no path. */
const DESCRIPTOR_CALLS = new Set(['read', 'write', 'fsync', 'fdatasync', 'ftruncate', 'close']);

/** `mkdir /data/x: no space left on device`, as Go words it, of an error that Node made of a failed call on a file. */
export function systemCallText(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof GantryError) return undefined;
  const { code = '', syscall, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const words = errnoWords(code);
  if (words === undefined || typeof syscall !== 'string') return undefined;
  if (path === undefined && !DESCRIPTOR_CALLS.has(syscall)) return undefined;
  return `${[syscall, path, dest].filter(Boolean).join(' ')}: ${words}`;
}
