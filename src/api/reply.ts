// Owns the bytes of ordinary replies: Docker's headers, JSON and errors. Knows no route.

import type { ServerResponse } from 'node:http';
import { API_VERSION } from './api-version.ts';
import { errorBody, PAGE_NOT_FOUND, statusOf } from './errors.ts';

/** What the headers of every reply say about this daemon. */
export interface ServerFacts {
  /** Shown as `Docker/<version> (linux)`, whose form the Docker CLI parses. */
  readonly version: string;
  readonly experimental: boolean;
  /** The builder: `2` is BuildKit, the default; `1` when that feature is off. */
  readonly builderVersion?: (() => '1' | '2') | undefined;
  /** Oldest API version that is answered. Absent, it is the oldest that is known. */
  readonly minApiVersion?: string | undefined;
}

/** Writes replies with this daemon's headers; names are in alphabetical order, as Go sends them. */
export class ReplyWriter {
  /** The headers that Docker's exec start repeats after its own, as text. */
  readonly hijackHeaders: string;
  readonly #server: string;
  readonly #experimental: string;
  readonly #builderVersion: () => '1' | '2';
  /** Ends the headers of most replies. */
  readonly #tail: readonly string[];

  constructor(facts: ServerFacts) {
    this.#server = `Docker/${facts.version} (linux)`;
    this.#experimental = String(facts.experimental);
    this.#builderVersion = facts.builderVersion ?? (() => '2');
    this.#tail = ['Docker-Experimental', this.#experimental, 'Ostype', 'linux', 'Server', this.#server];
    const api = `Api-Version: ${API_VERSION}\r\nDocker-Experimental: ${this.#experimental}\r\n`;
    this.hijackHeaders = `${api}Ostype: linux\r\nServer: ${this.#server}\r\n`;
  }

  head(response: ServerResponse, status: number, contentType: string, length?: number): void {
    const sized = length === undefined ? [] : ['Content-Length', String(length)];
    open(response, status, ['Api-Version', API_VERSION, 'Content-Type', contentType, ...this.#tail, ...sized]);
  }

  json(response: ServerResponse, status: number, value: unknown): void {
    this.#jsonText(response, status, `${JSON.stringify(value)}\n`);
  }

  empty(response: ServerResponse, status: number): void {
    const sized = status === 204 || status === 304 ? [] : ['Content-Length', '0'];
    send(response, status, ['Api-Version', API_VERSION, ...this.#tail, ...sized], '');
  }

  error(response: ServerResponse, error: unknown): void {
    const status = statusOf(error);
    if (status === 304) this.empty(response, 304);
    else this.#jsonText(response, status, errorBody(error));
  }

  ping(response: ServerResponse, withBody: boolean): void {
    const headers = ['Api-Version', API_VERSION, 'Builder-Version', this.#builderVersion()];
    headers.push('Cache-Control', 'no-cache, no-store, must-revalidate', 'Content-Length', withBody ? '2' : '0');
    headers.push('Content-Type', 'text/plain; charset=utf-8', 'Docker-Experimental', this.#experimental);
    headers.push('Ostype', 'linux', 'Pragma', 'no-cache', 'Server', this.#server, 'Swarm', 'inactive');
    send(response, 200, headers, withBody ? 'OK' : '');
  }

  notFound(response: ServerResponse): void {
    const length = String(PAGE_NOT_FOUND.length);
    send(response, 404, ['Content-Type', 'application/json', 'Content-Length', length], PAGE_NOT_FOUND);
  }

  redirect(response: ServerResponse, location: string): void {
    send(response, 301, ['Location', location, 'Content-Length', '0'], '');
  }

  tooNew(response: ServerResponse, message: string): void {
    const body = errorBody(new Error(message));
    const headers = ['Api-Version', API_VERSION, 'Content-Type', 'application/json', 'Ostype', 'linux'];
    headers.push('Server', this.#server, 'Content-Length', String(Buffer.byteLength(body)));
    send(response, 400, headers, body);
  }

  tooOld(response: ServerResponse, message: string): void {
    const headers = ['Api-Version', API_VERSION, 'Content-Type', 'text/plain; charset=utf-8', 'Ostype', 'linux'];
    headers.push('Server', this.#server, 'X-Content-Type-Options', 'nosniff');
    headers.push('Content-Length', String(message.length + 1));
    send(response, 400, headers, `${message}\n`);
  }

  #jsonText(response: ServerResponse, status: number, body: string): void {
    this.head(response, status, 'application/json', Buffer.byteLength(body));
    response.end(body);
  }
}

function send(response: ServerResponse, status: number, headers: string[], body: string): void {
  open(response, status, headers);
  response.end(body);
}

/** Writes the head; Node's own `Connection: keep-alive`, which Docker does not send, is left out. */
function open(response: ServerResponse, status: number, headers: string[]): void {
  if (response.shouldKeepAlive) response.removeHeader('Connection');
  response.writeHead(status, headers);
}
