// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../../lib/errors.ts' {
  interface ErrorCodes {
    ALREADY_CONNECTED: 'conflict';
    INVALID_CIDR: 'invalid';
    INVALID_MAC: 'invalid';
    NAMESPACE_GONE: 'conflict';
    NETWORK_AMBIGUOUS: 'invalid';
    NETWORK_FAILED: 'system';
    NETWORK_IN_USE: 'conflict';
    NETWORK_NOT_FOUND: 'notFound';
    NO_FREE_ADDRESS: 'exhausted';
    NO_FREE_SUBNET: 'exhausted';
    PORTS_EXHAUSTED: 'exhausted';
    PORT_NEEDS_PROXY: 'invalid';
    PORT_TAKEN: 'exhausted';
  }
}

export {};
