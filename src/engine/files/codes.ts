// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    CLIENT_STALLED: 'invalid';
    FILES_STUCK: 'unavailable';
    NOT_A_FOLDER: 'invalid';
    NO_SUCH_FILE: 'notFound';
    READ_ONLY: 'invalid';
    TOO_MANY_LINKS: 'system';
  }
}

export {};
