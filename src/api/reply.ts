// Owns the bytes of ordinary replies: Docker's headers, JSON and errors. Knows no route.

import type { ServerResponse } from 'node:http';
import { API_VERSION } from './api-version.ts';
import { errorBody, PAGE_NOT_FOUND, statusOf } from './errors.ts';

/** What the headers of every reply say about this daemon. */
export interface ServerFacts {
  /** Shown as `Docker/<version> (linux)`, whose form the Docker CLI parses. */
  readonly version: string;
  readonly experimental: boolean;
  /** What builds images: `2` = BuildKit, `1` when that feature is off. */
  readonly builderVersion?: (() => '1' | '2') | undefined;
  /** Oldest API version that is answered; left out, the oldest that is known. */
  readonly minApiVersion?: string | undefined;
}

/** Writes replies with this daemon's headers; names are in alphabetical order, as Go sends them. */
export interface ReplyWriter {
  head(response: ServerResponse, status: number, contentType: string, length?: number): void;
  json(response: ServerResponse, status: number, value: unknown): void;
  empty(response: ServerResponse, status: number): void;
  error(response: ServerResponse, error: unknown): void;
  ping(response: ServerResponse, withBody: boolean): void;
  notFound(response: ServerResponse): void;
  redirect(response: ServerResponse, location: string): void;
  tooNew(response: ServerResponse, message: string): void;
  tooOld(response: ServerResponse, message: string): void;
  /** The headers that Docker's exec start repeats after its own, as text. */
  readonly hijackHeaders: string;
}

export function createReplyWriter(facts: ServerFacts): ReplyWriter {
  const server = `Docker/${facts.version} (linux)`;
  const experimental = String(facts.experimental);
  const tail = ['Docker-Experimental', experimental, 'Ostype', 'linux', 'Server', server];

  const send = (response: ServerResponse, status: number, headers: string[], body: string): void => {
    open(response, status, headers);
    response.end(body);
  };
  const text = (response: ServerResponse, status: number, type: string, body: string): void => {
    const length = String(Buffer.byteLength(body));
    send(response, status, ['Api-Version', API_VERSION, 'Content-Type', type, ...tail, 'Content-Length', length], body);
  };

  return {
    hijackHeaders: `Api-Version: ${API_VERSION}\r\nDocker-Experimental: ${experimental}\r\nOstype: linux\r\nServer: ${server}\r\n`,
    head(response, status, contentType, length) {
      const sized = length === undefined ? [] : ['Content-Length', String(length)];
      open(response, status, ['Api-Version', API_VERSION, 'Content-Type', contentType, ...tail, ...sized]);
    },
    json: (response, status, value) => text(response, status, 'application/json', `${JSON.stringify(value)}\n`),
    empty(response, status) {
      const sized = status === 204 || status === 304 ? [] : ['Content-Length', '0'];
      send(response, status, ['Api-Version', API_VERSION, ...tail, ...sized], '');
    },
    error(response, error) {
      const status = statusOf(error);
      if (status === 304) this.empty(response, 304);
      else text(response, status, 'application/json', errorBody(error));
    },
    ping(response, withBody) {
      const headers = ['Api-Version', API_VERSION, 'Builder-Version', facts.builderVersion?.() ?? '2'];
      headers.push('Cache-Control', 'no-cache, no-store, must-revalidate', 'Content-Length', withBody ? '2' : '0');
      headers.push('Content-Type', 'text/plain; charset=utf-8', 'Docker-Experimental', experimental, 'Ostype', 'linux');
      headers.push('Pragma', 'no-cache', 'Server', server, 'Swarm', 'inactive');
      send(response, 200, headers, withBody ? 'OK' : '');
    },
    notFound(response) {
      const length = String(PAGE_NOT_FOUND.length);
      send(response, 404, ['Content-Type', 'application/json', 'Content-Length', length], PAGE_NOT_FOUND);
    },
    redirect: (response, location) => send(response, 301, ['Location', location, 'Content-Length', '0'], ''),
    tooNew(response, message) {
      const body = errorBody(new Error(message));
      const headers = [
        'Api-Version',
        API_VERSION,
        'Content-Type',
        'application/json',
        'Ostype',
        'linux',
        'Server',
        server,
      ];
      send(response, 400, [...headers, 'Content-Length', String(Buffer.byteLength(body))], body);
    },
    tooOld(response, message) {
      const headers = ['Api-Version', API_VERSION, 'Content-Type', 'text/plain; charset=utf-8', 'Ostype', 'linux'];
      headers.push('Server', server, 'X-Content-Type-Options', 'nosniff', 'Content-Length', String(message.length + 1));
      send(response, 400, headers, `${message}\n`);
    },
  };
}

/** Writes the head; Node's own `Connection: keep-alive`, which Docker does not send, is left out. */
function open(response: ServerResponse, status: number, headers: string[]): void {
  if (response.shouldKeepAlive) response.removeHeader('Connection');
  response.writeHead(status, headers);
}
