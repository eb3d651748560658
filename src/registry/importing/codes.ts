// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    NO_SUCH_TREE: 'notFound';
  }
}

export {};
