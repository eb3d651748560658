// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BAD_ENDPOINT: 'invalid';
    BAD_TERM: 'invalid';
    MANIFEST_UNKNOWN: 'notFound';
    NAME_UNKNOWN: 'notFound';
    PULL_DENIED: 'notFound';
    REGISTRY_FAILED: 'system';
    TOO_MANY_REQUESTS: 'system';
    UNAUTHORIZED: 'system' | 'unauthorized';
  }
}

export {};
