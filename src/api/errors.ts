// Owns what an error is on the wire: kind → status, body, and Docker's fixed texts. Throws nothing itself.

import { type ErrorKind, GantryError, messageOf } from '../lib/errors.ts';

/** Every kind has its status; Docker answers 500 to what it cannot name. */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  notImplemented: 501,
  unavailable: 503,
  exhausted: 500,
  cancelled: 500,
  system: 500,
};

/** The HTTP status of anything thrown; bugs are 500. */
export function statusOf(error: unknown): number {
  return error instanceof GantryError ? STATUS_OF_KIND[error.kind] : 500;
}

/** Docker's error body, with its newline; beside Docker's `message` the `code` of an expected failure, and its `hint` where it has one. */
export function errorBody(error: unknown): string {
  const known = error instanceof GantryError ? { code: error.code, hint: error.hint } : {};
  return `${JSON.stringify({ message: messageOf(error), ...known })}\n`;
}

/** What Docker answers to an unknown path or a known path with another method. */
export const PAGE_NOT_FOUND = '{"message":"page not found"}\n';

/** What every swarm route answers on a node without swarm. @source dockerd 28.5.2 */
export function notSwarmManager(): GantryError {
  return new GantryError(
    'unavailable',
    'NO_SWARM',
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

/** The same failure with words put before its message, once; `kind` replaces its kind. Bugs stay as they are. */
export function prefixed(error: unknown, prefix: string, kind?: ErrorKind): unknown {
  if (!(error instanceof GantryError)) return error;
  const said = error.message.startsWith(prefix) ? error : error.prefixed(prefix);
  return kind === undefined ? said : said.ofKind(kind);
}

/**
 * A stop or restart that failed: Docker names the container and takes a bad signal for its own failure.
 * @source dockerd 28.5.2: stop?signal=foo is 500, kill?signal=foo 400
 */
export function stopFailure(error: unknown, prefix: string): unknown {
  if (!(error instanceof GantryError) || error.kind === 'notFound' || error.kind === 'notModified') return error;
  return prefixed(error, prefix, error.kind === 'invalid' ? 'system' : undefined);
}
