// Owns who sent a request and under which URL they know this server, as far as proxies in front may say so. Routes nothing.
// @source distribution 2.8, registry/api/v2/urls.go (X-Forwarded-Proto, X-Forwarded-Host); X-Forwarded-Prefix as Traefik sends it

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress } from '../networks.ts';

const HEADER_MAX_CHARS = 1024;
const HOST = /^[A-Za-z0-9.\-_]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** What the configuration says about URLs and proxies. */
export interface Whereabouts {
  /** A fixed URL for clients, in two parts. */
  readonly external: { readonly origin: string; readonly prefix: string } | undefined;
  /** What every path begins with, '' or `/path`. */
  readonly prefix: string;
  /** Networks whose X-Forwarded-* are believed. */
  readonly isTrustedProxy: (address: string) => boolean;
  /** Proxies stand in a row and all of them are known: what they say of one another is believed too. */
  readonly isChain: boolean;
}

/** One request's sender; costlier parts are made when they are asked for. */
export class Sender {
  readonly #request: IncomingMessage;
  readonly #where: Whereabouts;
  /** The address at the other end of the connection. */
  readonly peer: string;
  readonly isByProxy: boolean;

  constructor(request: IncomingMessage, where: Whereabouts) {
    this.#request = request;
    this.#where = where;
    this.peer = plainAddress(request.socket.remoteAddress ?? '');
    const { headers } = request;
    const isForwarded =
      headers['x-forwarded-for'] !== undefined ||
      headers['x-forwarded-proto'] !== undefined ||
      headers['x-forwarded-host'] !== undefined;
    this.isByProxy = isForwarded && where.isTrustedProxy(this.peer);
  }

  /** Address and port: the client's where a proxy is believed (then with port 0), else the peer's. */
  get address(): string {
    const forwarded = this.isByProxy ? this.#header('x-forwarded-for') : undefined;
    const client = forwarded === undefined ? undefined : this.#clientIn(forwarded);
    return client === undefined ? `${this.peer}:${this.#request.socket.remotePort ?? 0}` : `${client}:0`;
  }

  /** `scheme://host[:port]` of this server as the client sees it; '' without a usable Host. */
  get base(): string {
    const { external } = this.#where;
    if (external) return external.origin;
    const host = (this.isByProxy ? firstOf(this.#header('x-forwarded-host')) : undefined) ?? this.#request.headers.host;
    return host !== undefined && HOST.test(host) ? `${this.#scheme}://${host}` : '';
  }

  /** What stands before `/v2/` where the client sees it: '' or `/path`. */
  get prefix(): string {
    const { external, prefix } = this.#where;
    if (external) return external.prefix || prefix;
    const forwarded = this.isByProxy ? firstOf(this.#header('x-forwarded-prefix'))?.replace(/\/+$/, '') : undefined;
    return `${forwarded !== undefined && PREFIX.test(forwarded) ? forwarded : ''}${prefix}`;
  }

  get #scheme(): string {
    const forwarded = this.isByProxy ? firstOf(this.#header('x-forwarded-proto'))?.toLowerCase() : undefined;
    if (forwarded === 'https' || forwarded === 'http') return forwarded;
    return 'encrypted' in this.#request.socket ? 'https' : 'http';
  }

  #header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === 'string' && value.length < HEADER_MAX_CHARS ? value : undefined;
  }

  /** The nearest entry is the proxy's own word; what stands left of it is somebody else's. */
  #clientIn(forwarded: string): string | undefined {
    const entries = forwarded.split(',').map((entry) => plainAddress(entry.trim()));
    const { isChain, isTrustedProxy } = this.#where;
    while (isChain && entries.length > 1 && isTrustedProxy(entries.at(-1) ?? '')) entries.pop();
    const client = entries.at(-1) ?? '';
    return isIP(client) === 0 ? undefined : client;
  }
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(',', 1)[0]?.trim();
}
