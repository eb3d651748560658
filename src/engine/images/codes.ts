// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    BAD_ARCHIVE: 'invalid';
    BAD_CHANGE: 'invalid';
    CONFIG_LOST: 'system';
    DIFF_ID_MISMATCH: 'invalid';
    IMAGE_IN_USE: 'conflict';
    LAYER_DAMAGED: 'system';
    LAYER_LOST: 'system';
    NO_MATCHING_IMAGE: 'notFound' | 'system';
    NO_SUCH_IMAGE: 'notFound';
    NO_SUCH_LAYER: 'system';
    TAR_OUTSIDE: 'invalid';
    WORKER_STUCK: 'system';
    WRONG_OS: 'invalid';
  }
}

export {};
