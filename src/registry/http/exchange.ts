// Owns one request and its answer: what handlers read and how they answer. Routes nothing, judges nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { GantryError } from '../../lib/errors.ts';
import type { Grant } from '../access/types.ts';
import type { Initiator } from '../repositories/types.ts';
import { piecesOf } from './body.ts';
import { isWaitingForLeave } from './refuse.ts';
import type { Sender } from './sender.ts';
import type { Exchange } from './types.ts';
import { widenReads } from './wide-reads.ts';

/** What is known of a request before a handler sees it. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly parameters: Readonly<Record<string, string>>;
  readonly grant: Grant;
  readonly sender: Sender;
}

/** An Exchange whose costlier parts are made when they are asked for. */
export class HttpExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly parameters: Readonly<Record<string, string>>;
  readonly grant: Grant;
  readonly #sender: Sender;
  #aborter: AbortController | undefined;
  #isLeaveGiven = false;
  /** Bytes of the body that handlers took. */
  bytesIn = 0;

  constructor(arrival: Arrival) {
    this.request = arrival.request;
    this.response = arrival.response;
    this.id = arrival.id;
    this.path = arrival.path;
    this.query = arrival.query;
    this.parameters = arrival.parameters;
    this.grant = arrival.grant;
    this.#sender = arrival.sender;
  }

  get doer(): Initiator {
    const { headers, method = '' } = this.request;
    const { host = '', 'user-agent': userAgent = '' } = headers;
    const { address } = this.#sender;
    return { actor: this.grant.actor, request: { id: this.id, address, host, method, userAgent } };
  }

  get address(): string {
    const { address } = this.#sender;
    return address.slice(0, address.lastIndexOf(':'));
  }

  link(path: string): string {
    return `${this.#sender.prefix}${path}`;
  }

  get signal(): AbortSignal {
    if (!this.#aborter) {
      const aborter = new AbortController();
      this.#aborter = aborter;
      this.response.once('close', () => aborter.abort());
    }
    return this.#aborter.signal;
  }

  json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.send(status, { 'Content-Type': 'application/json', ...headers }, `${JSON.stringify(value)}\n`);
  }

  send(status: number, headers: Readonly<Record<string, string | string[]>>, body: Uint8Array | string = ''): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const isBodiless = status === 204 || status === 304;
    this.response.writeHead(status, isBodiless ? headers : { 'Content-Length': String(length), ...headers });
    if (this.request.method === 'HEAD' || isBodiless) this.response.end();
    else this.response.end(body);
  }

  get content(): AsyncGenerator<Buffer> {
    return this.#counted();
  }

  async body(maxBytes: number): Promise<Buffer> {
    const announced = Number(this.request.headers['content-length'] ?? 0);
    if (announced > maxBytes) throw tooLarge(maxBytes);
    const pieces: Buffer[] = [];
    let total = 0;
    for await (const piece of this.content) {
      total += piece.length;
      if (total > maxBytes) throw tooLarge(maxBytes);
      pieces.push(piece);
    }
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
  }

  /** Bodies in chunks announce no length. Who stops half-way leaves the connection to the answer. */
  async *#counted(): AsyncGenerator<Buffer> {
    this.#giveLeave();
    widenReads(this.request);
    for await (const piece of piecesOf(this.request)) {
      this.bytesIn += piece.length;
      yield piece;
    }
  }

  /** A sender that asked first is let send once somebody reads: by then it was found to be allowed to. */
  #giveLeave(): void {
    if (this.#isLeaveGiven || !isWaitingForLeave(this.request)) return;
    this.#isLeaveGiven = true;
    this.response.writeContinue();
  }
}

function tooLarge(maxBytes: number): GantryError {
  return new GantryError('exhausted', 'SIZE_INVALID', `the request body is over ${maxBytes} bytes`, {
    params: { maxBytes },
  });
}
