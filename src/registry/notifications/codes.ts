// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    DEAD_LETTER_UNKNOWN: 'notFound';
    WEBHOOK_UNKNOWN: 'notFound';
  }
}

export {};
