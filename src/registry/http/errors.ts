// Owns what an error is on the wire: the specification's body, code and status. Throws nothing itself.
// @source OCI distribution specification 1.1, "Error Codes"; distribution 2.8 for the codes that the specification leaves out

import { type ErrorKind, GantryError } from '../../lib/errors.ts';

/** Every kind has a status and, where no code of the specification was given, a code. */
const OF_KIND: Readonly<Record<ErrorKind, readonly [status: number, code: string]>> = {
  invalid: [400, 'UNSUPPORTED'],
  unauthorized: [401, 'UNAUTHORIZED'],
  forbidden: [403, 'DENIED'],
  notFound: [404, 'UNKNOWN'],
  conflict: [409, 'UNKNOWN'],
  notModified: [304, 'UNKNOWN'],
  notImplemented: [405, 'UNSUPPORTED'],
  unavailable: [503, 'UNAVAILABLE'],
  exhausted: [507, 'UNAVAILABLE'],
  cancelled: [499, 'UNKNOWN'],
  system: [500, 'UNKNOWN'],
};

/** Codes that go out as they are, with their status where the kind's is another. */
const CODES: Readonly<Record<string, number | undefined>> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: undefined,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: undefined,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: undefined,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: undefined,
  TAG_INVALID: 400,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
};

/** Where a request asks for more than is allowed, rather than for what is wrong. */
const TOO_MUCH: Readonly<Record<string, number>> = { SIZE_INVALID: 413, TAG_INVALID: 414 };

/** An error as it goes out. */
export interface WireError {
  readonly status: number;
  readonly body: string;
  /** Seconds that the sender should wait. */
  readonly retryAfterSeconds: number | undefined;
}

/** The answer that anything thrown stands for; what is no GantryError is a bug and tells nothing of itself. */
export function wireError(error: unknown): WireError {
  if (!(error instanceof GantryError)) return shaped(500, 'UNKNOWN', 'internal error', undefined, undefined);
  const [kindStatus, kindCode] = OF_KIND[error.kind];
  const isSpecified = error.code in CODES;
  const message = error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
  const tooMuch = error.kind === 'exhausted' ? TOO_MUCH[error.code] : undefined;
  const status = tooMuch ?? (isSpecified ? CODES[error.code] : undefined) ?? kindStatus;
  const seconds = error.params.retryAfterSeconds;
  const retryAfterSeconds = typeof seconds === 'number' ? Math.ceil(seconds) : undefined;
  return shaped(status, isSpecified ? error.code : kindCode, message, error.params, retryAfterSeconds);
}

function shaped(
  status: number,
  code: string,
  message: string,
  params: GantryError['params'] | undefined,
  retryAfterSeconds: number | undefined,
): WireError {
  const detail = params && Object.keys(params).length > 0 ? { detail: params } : {};
  return { status, body: `${JSON.stringify({ errors: [{ code, message, ...detail }] })}\n`, retryAfterSeconds };
}
