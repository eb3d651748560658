// Owns reading an answer of the daemon: its text, its stream, its failure, and what a ping says. Sends nothing.
import { Readable } from 'node:stream';
import { type ApiError, apiErrorOf } from './errors.ts';
import type { Answer, AnswerHeaders } from './sender.ts';

/** Assumed of a daemon that does not name its version. */
const FALLBACK_API_VERSION = '1.24';

/** What the answer to a ping says of the daemon. */
export interface PingFacts {
  readonly apiVersion: string;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

/** The whole body as UTF-8. */
export async function textOf({ body }: Answer): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

/** The body as a stream of Node's, which gives Buffers. Destroying it drops the connection. */
export function streamOf({ body }: Answer): Readable {
  return body instanceof Readable ? body : Readable.from(body, { objectMode: false });
}

/** True when the daemon refused, or had nothing to do. */
export function isFailure({ status }: Answer): boolean {
  return status >= 400 || status === 304;
}

/** The failure in the daemon's words. `request` names the call for a daemon that says none. */
export async function failureOf(answer: Answer, request: string): Promise<ApiError> {
  return apiErrorOf(answer.status, await textOf(answer), request);
}

/** @source Engine API, HEAD /_ping */
export function pingFactsOf(headers: AnswerHeaders): PingFacts {
  const header = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    apiVersion: header('api-version') || FALLBACK_API_VERSION,
    osType: header('ostype') || 'linux',
    experimental: header('docker-experimental') === 'true',
    builderVersion: header('builder-version'),
  };
}

/** True for one raw stream (a terminal), false for a framed one, undefined when the daemon did not say. */
export function isRaw(headers: AnswerHeaders): boolean | undefined {
  const type = headers['content-type'];
  return type === undefined ? undefined : type !== 'application/vnd.docker.multiplexed-stream';
}
