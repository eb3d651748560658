// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BLOB_DAMAGED: 'system';
    BLOB_TOO_LARGE: 'invalid';
    DIGEST_MISMATCH: 'system';
    DISK_FULL: 'exhausted';
    NO_SUCH_BLOB: 'notFound';
    RECORDS_DAMAGED: 'system';
    RECORDS_IO: 'unavailable';
    RECORDS_NEWER: 'conflict';
    RECORDS_READ_ONLY: 'unavailable';
    RECORD_UNREADABLE: 'system';
    SIZE_MISMATCH: 'system';
  }
}

export {};
