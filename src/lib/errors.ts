// Owns the one error type that users may see, and its kinds. Knows nothing of HTTP statuses or exit codes.

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
  readonly code: string;
  readonly params: ErrorParams;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GantryError';
    this.kind = kind;
    this.code = code;
    this.params = details.params ?? {};
    this.hint = details.hint;
  }
}

/** True when `error` is an expected failure, of `kind` when one is given. */
export function isGantryError(error: unknown, kind?: ErrorKind): error is GantryError {
  return error instanceof GantryError && (kind === undefined || error.kind === kind);
}

/** The text of anything thrown, for wrapping into another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
