// Owns the failures a caller of the client sees: what the daemon answered, and not reaching it at all.
import { type ErrorKind, GantryError } from '../lib/errors.ts';

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

/** The daemon's answer when it is not a success: `message` is the daemon's own text. */
export class ApiError extends GantryError {
  /** HTTP status of the answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(KIND_OF_STATUS[status] ?? 'system', 'DAEMON_ANSWERED', message, { params: { status } });
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
  return new ApiError(status, messageIn(body) ?? (body.trim() || `${request}: answered ${status} without a message`));
}

function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string') {
      return parsed.message.trim();
    }
  } catch {
    // Not JSON: an old daemon or a proxy in between.
  }
  return undefined;
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
