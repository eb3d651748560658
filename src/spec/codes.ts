// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BAD_CONTENT_TYPE: 'invalid';
    BAD_INTEGER: 'system';
    BAD_MANIFEST: 'invalid';
    BAD_TIMESTAMP: 'system';
    FRAME_TRUNCATED: 'system';
    FRAME_UNKNOWN_STREAM: 'invalid';
    INVALID_FILTER: 'invalid' | 'system';
    INVALID_JSON: 'invalid' | 'system';
    INVALID_PLATFORM: 'invalid';
    INVALID_QUERY: 'invalid';
    INVALID_REFERENCE: 'invalid';
    INVALID_SIGNAL: 'invalid';
    NOT_AN_IMAGE: 'invalid';
    NO_MATCHING_MANIFEST: 'notFound';
    SCHEMA1: 'invalid';
    TRAILING_JSON: 'invalid';
  }
}

export {};
