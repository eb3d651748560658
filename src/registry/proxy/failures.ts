// Owns what a failure of an origin means: gone, forbidden or down; and the error that clients get. Sends no request.

import { GantryError } from '../../lib/errors.ts';
import { RegistryError } from '../../remote/index.ts';

/**
 * `gone`: the origin does not have it. `forbidden`: it does not let us. `down`: it did not answer, or not with sense; whether it still has
 * it is not known.
 */
export type Verdict = 'gone' | 'forbidden' | 'down';

export function verdictOf(error: unknown): Verdict {
  const status = error instanceof RegistryError ? error.status : 0;
  if (status === 404) return 'gone';
  return status === 401 || status === 403 ? 'forbidden' : 'down';
}

/** How long the origin asked to be left alone. */
export function askedMs(error: unknown): number | undefined {
  const seconds = error instanceof RegistryError ? error.retryAfterSeconds : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The specification's code and words for what is not there. */
export interface Missing {
  readonly code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN';
  readonly message: string;
}

/** The error that a client gets; `leftMs`: for how much longer the origin is not asked. */
export function inWords(error: unknown, missing: Missing, leftMs?: number): GantryError {
  if (error instanceof GantryError && error.kind === 'cancelled') return error;
  const details = { cause: error };
  switch (verdictOf(error)) {
    case 'gone':
      return new GantryError('notFound', missing.code, missing.message, details);
    case 'forbidden':
      return new GantryError('forbidden', 'DENIED', `the origin refuses: ${textOf(error)}`, details);
    case 'down': {
      const isTooMany = error instanceof RegistryError && error.status === 429;
      const askedSeconds = error instanceof RegistryError ? error.retryAfterSeconds : undefined;
      const seconds = leftMs === undefined ? askedSeconds : Math.ceil(leftMs / 1000);
      const params = seconds === undefined ? {} : { retryAfterSeconds: seconds };
      const code = isTooMany ? 'TOOMANYREQUESTS' : 'UNAVAILABLE';
      return new GantryError('unavailable', code, `the origin failed: ${textOf(error)}`, { ...details, params });
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
