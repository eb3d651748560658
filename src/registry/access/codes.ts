// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    HTPASSWD_FIXED: 'conflict';
    NO_HTPASSWD: 'invalid';
    ROBOT_INVALID: 'invalid';
    ROBOT_TAKEN: 'conflict';
    ROBOT_UNKNOWN: 'notFound';
    TOOMANYREQUESTS: 'unavailable';
    USER_INVALID: 'invalid';
    USER_UNKNOWN: 'notFound';
  }
}

export {};
