// Owns the calls to one daemon over a sender: version prefix, common headers, JSON in and out. Knows no nouns.

import type { Duplex, Readable } from 'node:stream';
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type { RouteId } from '../spec/docker/routes.ts';
import { failureOf, isFailure, isRaw, type PingFacts, pingFactsOf, streamOf, textOf } from './answer.ts';
import { type Call, endpointOf, requestOf } from './call.ts';
import { ApiError } from './errors.ts';
import { NodeSender, type TlsOptions } from './node-sender.ts';
import type { Answer, AnswerHeaders, Sender, WireRequest } from './sender.ts';

/** Newest API version this client speaks. */
export const CLIENT_API_VERSION = '1.51';

/** Which daemon, and how to speak to it. */
export interface TransportOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  readonly tls?: TlsOptions | undefined;
  /** Pins the API version and skips the negotiation (DOCKER_API_VERSION). */
  readonly apiVersion?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Watches every call and its answer. */
  readonly observer?: CallObserver | undefined;
  /** Carries the requests in place of node:http. It has its own address and TLS; `host` is the name in messages. */
  readonly sender?: Sender | undefined;
}

/** Watches the calls of a transport. */
export interface CallObserver {
  /** Runs before a call is sent. Its `headers` are sent with the call; `end` gets those of the answer, none when it failed. */
  begin(
    method: string,
    path: string,
  ): {
    readonly headers: Readonly<Record<string, string>>;
    end(answer: AnswerHeaders | undefined): void;
  };
}

/** A raw two-way connection taken over from HTTP. `end()` on the socket half-closes it. */
export interface Hijacked {
  readonly socket: Duplex;
  /** Bytes that came with the answer's head; read them before the socket. */
  readonly head: Buffer;
  /** True when output is one raw stream (a terminal), false when it is framed; undefined when the daemon did not say. */
  readonly raw: boolean | undefined;
}

/** Calls to one daemon. Every method throws ApiError for an answer of 400 and up, GantryError when out of reach. */
export class Transport {
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #sender: Sender;
  #facts: Promise<PingFacts> | undefined;

  /** @throws HOST_INVALID when the address cannot be read */
  constructor(options: TransportOptions) {
    this.host = options.host;
    this.#options = options;
    this.#sender = options.sender ?? new NodeSender(options.host, options.tls);
  }

  /** Asks once; later calls get the same answer. */
  ping(): Promise<PingFacts> {
    this.#facts ??= this.#readPing();
    return this.#facts;
  }

  /** The version that requests use: pinned, else the lower of ours and the daemon's. */
  async version(): Promise<string> {
    return this.#options.apiVersion ?? lowerVersion((await this.ping()).apiVersion);
  }

  /** The answer with its body unread. */
  async open(call: Call): Promise<Answer> {
    const answer = await this.#send(call, await this.#prefix());
    if (isFailure(answer)) throw await failureOf(answer, nameOf(call));
    return answer;
  }

  async text(call: Call): Promise<string> {
    return textOf(await this.open(call));
  }

  async json<Route extends RouteId>(call: Call<Route>): Promise<ReplyOf<Route>> {
    return JSON.parse(await this.text(call)) as ReplyOf<Route>;
  }

  /** For calls whose answer has no interesting body. */
  async done(call: Call): Promise<void> {
    await this.text(call);
  }

  /** The body as a stream of bytes. */
  async stream(call: Call): Promise<Readable> {
    return streamOf(await this.open(call));
  }

  /** Takes the connection over. @throws UPGRADE_UNSUPPORTED when the sender cannot */
  async hijack(call: Call): Promise<Hijacked> {
    const answer = await this.#observed(call, await this.#prefix(), (request) => this.#sender.upgrade(request));
    if ('socket' in answer) return { socket: answer.socket, head: answer.head, raw: isRaw(answer.headers) };
    if (answer.status >= 400) throw await failureOf(answer, nameOf(call));
    throw new ApiError(answer.status, 'the daemon did not hand over the connection');
  }

  /** Closes kept-alive connections. */
  close(): void {
    this.#sender.close();
  }

  /** A daemon that refuses HEAD is asked again with GET. */
  async #readPing(): Promise<PingFacts> {
    let answer = await this.#send({ route: 'pingHead' }, '');
    answer.discard();
    if (answer.status !== 200) {
      answer = await this.#send({ route: 'ping' }, '');
      answer.discard();
    }
    return pingFactsOf(answer.headers);
  }

  async #prefix(): Promise<string> {
    return `/v${await this.version()}`;
  }

  #send(call: Call, prefix: string): Promise<Answer> {
    return this.#observed(call, prefix, (request) => this.#sender.send(request));
  }

  async #observed<T extends { readonly headers: AnswerHeaders }>(
    call: Call,
    prefix: string,
    send: (request: WireRequest) => Promise<T>,
  ): Promise<T> {
    const { method, path } = endpointOf(call);
    const observed = this.#options.observer?.begin(method, path);
    try {
      const answer = await send(requestOf(call, prefix, this.#options.headers, call.headers, observed?.headers));
      observed?.end(answer.headers);
      return answer;
    } catch (error) {
      observed?.end(undefined);
      throw error;
    }
  }
}

function nameOf(call: Call): string {
  const { method, path } = endpointOf(call);
  return `${method} ${path}`;
}

function lowerVersion(daemonVersion: string): string {
  return compareVersions(daemonVersion, CLIENT_API_VERSION) < 0 ? daemonVersion : CLIENT_API_VERSION;
}

/** Below zero when API version `left` is older than `right`; both as `1.51`. */
function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}
