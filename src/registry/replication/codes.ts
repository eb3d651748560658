// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    REPLICATION_UNKNOWN: 'notFound';
  }
}

export {};
