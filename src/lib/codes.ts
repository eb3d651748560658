// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module './errors.ts' {
  interface ErrorCodes {
    BAD_TAR: 'invalid';
    CANCELLED: 'cancelled';
    NO_SPACE: 'exhausted';
    PATTERN_TOO_COSTLY: 'invalid';
    TRUNCATED_TAR: 'invalid';
    UNSUPPORTED_TAR: 'invalid';
  }
}

export {};
