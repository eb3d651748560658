// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    CONFIG: 'invalid';
    DAEMON_RUNNING: 'conflict';
    LISTEN: 'conflict';
    NOT_ROOT: 'forbidden';
  }
}

export {};
