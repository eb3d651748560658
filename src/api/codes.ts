// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    ADDRESS_IN_USE: 'conflict';
    BAD_CONDITION: 'invalid';
    BAD_DETACH_KEYS: 'invalid' | 'system';
    BAD_INTERVAL: 'invalid';
    BAD_LIMIT: 'invalid';
    BAD_MOMENT: 'invalid';
    BAD_PATTERN: 'system';
    BAD_PRUNE: 'invalid';
    BAD_SIZE: 'invalid';
    BAD_TYPE: 'invalid';
    BAD_UPGRADE: 'system';
    BAD_VERBOSE: 'invalid';
    BAD_VERSION: 'invalid';
    BODY_TOO_LARGE: 'invalid';
    CLIENT_GONE: 'cancelled';
    EMPTY_CONFIG: 'invalid';
    EXPERIMENTAL: 'invalid' | 'notImplemented';
    FOREIGN_REQUEST: 'forbidden';
    IMPORT_FROM_URL: 'notImplemented';
    INVALID_PARAMETER: 'invalid';
    INVALID_REQUEST: 'invalid';
    LISTEN_FAILED: 'system';
    NOT_YET: 'notImplemented';
    NO_PATH: 'invalid';
    NO_STREAM: 'invalid' | 'system';
    NO_SUCH_PLUGIN: 'notFound';
    NO_SWARM: 'unavailable';
    NO_UPGRADE: 'system';
    NO_WEBSOCKET: 'invalid';
    PREDEFINED_NETWORK: 'forbidden';
  }
}

export {};
