// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    REPORT_INVALID: 'invalid';
    SCAN_FAILED: 'system';
  }
}

export {};
