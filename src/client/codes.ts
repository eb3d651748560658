// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    DAEMON_SOCKET_DENIED: 'forbidden';
    DAEMON_UNREACHABLE: 'unavailable';
    HOST_INVALID: 'invalid';
    UPGRADE_UNSUPPORTED: 'notImplemented';
  }
}

export {};
