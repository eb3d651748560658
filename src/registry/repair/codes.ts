// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    CHECK_RUNNING: 'conflict';
  }
}

export {};
