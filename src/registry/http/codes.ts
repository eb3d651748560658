// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    BAD_PATH: 'invalid';
    NAME_INVALID: 'invalid';
    NOT_FOUND: 'notFound';
    TLS_INVALID: 'invalid';
  }
}

export {};
