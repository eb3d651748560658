// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BLOB_UNKNOWN: 'notFound';
    CONFIG_INVALID: 'invalid';
    DENIED: 'forbidden';
    DIGEST_INVALID: 'invalid';
    FOREIGN_ROOT: 'conflict';
    PAGINATION_NUMBER_INVALID: 'invalid';
    RANGE_INVALID: 'conflict' | 'invalid';
    ROOT_UNUSABLE: 'system';
    SIZE_INVALID: 'exhausted' | 'invalid';
    UNSUPPORTED: 'invalid' | 'notImplemented';
  }
}

export {};
