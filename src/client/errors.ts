// Owns the failures that a caller of the client sees: the daemon's answer, and a daemon out of reach.
import { type ErrorCode, type ErrorKind, GantryError, isGantryError } from '../lib/errors.ts';

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  304: 'notModified',
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  501: 'notImplemented',
  503: 'unavailable',
};

/** What Gantry's daemon says of an error beside its message. */
interface DaemonsFacts {
  readonly code?: string | undefined;
  readonly hint?: string | undefined;
}

/** The daemon's answer when it is not a success: `message` is the daemon's own text. */
export class ApiError extends GantryError {
  /** HTTP status of the answer. */
  readonly status: number;

  /** `code` and `hint` are the daemon's own; only Gantry's daemon sends them. */
  constructor(status: number, message: string, { code = 'DAEMON_ANSWERED', hint }: DaemonsFacts = {}) {
    // A newer daemon may say a code that is not known here.
    super(KIND_OF_STATUS[status] ?? 'system', code as ErrorCode, message, { params: { status }, hint });
    this.name = 'ApiError';
    this.status = status;
  }
}

/** True when `error` is the daemon's answer, with `status` when one is given. */
export function isApiError(error: unknown, status?: number): error is ApiError {
  return error instanceof ApiError && (status === undefined || error.status === status);
}

/**
 * An ApiError from a response body: its `message`, else the text as it is.
 * @source docker 28.2.2: a body that is no JSON object with a message is quoted whole
 */
export function apiErrorOf(status: number, body: string, request: string): ApiError {
  const { message, ...facts } = factsIn(body);
  return new ApiError(
    status,
    message?.trim() ?? (body.trim() || `${request}: answered ${status} without a message`),
    facts,
  );
}

function factsIn(body: string): DaemonsFacts & { readonly message?: string | undefined } {
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = Object(JSON.parse(body)) as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON: an old daemon or a proxy in between.
    return {};
  }
  const text = (key: string): string | undefined => {
    const value = parsed[key];
    return typeof value === 'string' ? value : undefined;
  };
  return { message: text('message'), code: text('code'), hint: text('hint') };
}

/** Why a request to `host` failed: an abort and a failure of our own stay as they are, all else is a daemon out of reach. */
export function sendFailure(host: string, error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted || isGantryError(error) ? error : unreachable(host, error);
}

/** The failure to reach a daemon at `host`, in the words that scripts look for. */
export function unreachable(host: string, cause: unknown): GantryError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new GantryError(
      'forbidden',
      'DAEMON_SOCKET_DENIED',
      `permission denied while trying to connect to the Docker daemon socket at ${host}`,
      { params: { host }, hint: 'run the command as root or join the group that owns the socket', cause },
    );
  }
  return new GantryError(
    'unavailable',
    'DAEMON_UNREACHABLE',
    `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`,
    { params: { host, reason: code }, hint: 'start the daemon with "gantryd", or name another with --host', cause },
  );
}
