// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    BLOCK_DEVICE_MISSING: 'system';
    RUNTIME_FAILED: 'system';
    VOLUME_SUBPATH: 'notFound';
  }
}

export {};
