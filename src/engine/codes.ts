// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    CONTAINER_PAUSED: 'conflict';
    INVALID_HOST_IP: 'invalid';
    RECORDS_MISSING: 'conflict';
    SECCOMP_PROFILE: 'invalid';
    UNKNOWN_RUNTIME: 'invalid';
  }
}

export {};
