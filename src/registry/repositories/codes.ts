// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    BLOB_UPLOAD_UNKNOWN: 'notFound';
    MANIFEST_BLOB_UNKNOWN: 'notFound';
    MANIFEST_INVALID: 'invalid';
  }
}

export {};
