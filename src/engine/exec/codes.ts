// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    EXEC_ALREADY_RUN: 'conflict';
    EXEC_NOT_RUNNING: 'notFound';
    EXEC_NOT_STARTED: 'system';
    NO_EXEC_COMMAND: 'invalid';
    NO_SUCH_EXEC: 'notFound';
  }
}

export {};
