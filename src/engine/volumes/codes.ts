// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    INVALID_VOLUME_NAME: 'invalid';
    NO_SUCH_VOLUME: 'notFound';
    UNKNOWN_VOLUME_DRIVER: 'notFound';
    VOLUME_IN_USE: 'conflict';
    VOLUME_OPTIONS: 'invalid' | 'notImplemented';
  }
}

export {};
