// Owns the interface between the transport and what carries its requests: node:http here, fetch in a browser. Types only.
import type { Duplex, Readable } from 'node:stream';

/** One HTTP request. `path` starts with a slash and includes the query. */
export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Header values by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose head has arrived. Ending the iteration of `body` early drops the connection. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads the body and drops it, so that the connection can be used again. */
  discard(): void;
}

/** A connection that the daemon handed over. `head` holds the bytes that came with the answer's head. */
export interface Upgraded {
  readonly headers: AnswerHeaders;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Carries requests to one daemon. Any answer is a success here, whatever its status. */
export interface Sender {
  /** @throws DAEMON_UNREACHABLE, DAEMON_SOCKET_DENIED, the signal's reason, or the error of the body's stream */
  send(request: WireRequest): Promise<Answer>;
  /** Asks for the connection itself; an Answer is the daemon's refusal. @throws as `send`; UPGRADE_UNSUPPORTED */
  upgrade(request: WireRequest): Promise<Upgraded | Answer>;
  /** Closes idle connections. */
  close(): void;
}
