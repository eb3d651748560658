// Owns HTTP exchanges with registries: kept-alive connections, time-outs, bounded bodies. Knows no authentication.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { cancelled } from '../lib/abort.ts';
import { GantryError } from '../lib/errors.ts';
import { answerError, RegistryError, transportError } from './errors.ts';

export interface Timeouts {
  /** Until the headers of an answer are there. */
  readonly answerMs: number;
  /** Between two pieces of a body. */
  readonly stallMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { answerMs: 30_000, stallMs: 60_000 };

interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Readable | undefined;
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

/** Speaks HTTP; dispose it to close idle connections. */
export interface Http extends Disposable {
  readonly timeouts: Timeouts;
  /** The answer's head; the caller reads or destroys its body. @throws RegistryError, CANCELLED */
  open(exchange: Exchange): Promise<IncomingMessage>;
}

/** Makes the HTTP client. Proxies are taken from the environment, as Docker does, but never for insecure hosts. */
export function createHttp(userAgent: string, timeouts: Timeouts): Http {
  const proxyEnv = process.env;
  const plain = new HttpAgent({ keepAlive: true, proxyEnv });
  const direct = new HttpAgent({ keepAlive: true });
  const lax = new HttpsAgent({ keepAlive: true, rejectUnauthorized: false });
  let checked: HttpsAgent | undefined;
  const agentFor = ({ url, insecure }: Exchange): HttpAgent | HttpsAgent => {
    if (!url.startsWith('https:')) return insecure ? direct : plain;
    if (insecure) return lax;
    checked ??= new HttpsAgent({
      keepAlive: true,
      proxyEnv,
      ca: [...new Set([...getCACertificates('default'), ...getCACertificates('system')])],
    });
    return checked;
  };
  return {
    timeouts,
    open: (exchange) => send(exchange, agentFor(exchange), userAgent, timeouts),
    [Symbol.dispose]() {
      for (const agent of [plain, direct, lax, checked]) agent?.destroy();
    },
  };
}

function send(exchange: Exchange, agent: HttpAgent, userAgent: string, timeouts: Timeouts): Promise<IncomingMessage> {
  const { method, url, headers, body, signal } = exchange;
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise<IncomingMessage>((resolve, reject) => {
    if (signal.aborted) {
      reject(cancelled());
      return;
    }
    const call = request(url, { method, agent, headers: { 'User-Agent': userAgent, ...headers } });
    let timer: NodeJS.Timeout | undefined;
    const expectWithin = (ms: number, missing: string): void => {
      clearTimeout(timer);
      timer = setTimeout(() => call.destroy(new Error(missing)), ms);
    };
    const expectAnswer = (): void => expectWithin(timeouts.answerMs, 'net/http: timeout awaiting response headers');
    const abort = (): void => void call.destroy(cancelled());
    signal.addEventListener('abort', abort, { once: true });
    call.once('error', (error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      reject(error instanceof GantryError ? error : transportError(method, url, error));
    });
    call.once('response', (answer) => {
      clearTimeout(timer);
      watchForStalls(answer, timeouts.stallMs, method, url);
      answer.once('close', () => signal.removeEventListener('abort', abort));
      // An abort destroys the request, which ends the body with an error of its own: the signal is what counts.
      resolve(answer);
    });
    if (body instanceof Readable) {
      // A long body has its own pace, as long as it moves; the time for the answer begins when all of it was asked.
      const { stallMs } = timeouts;
      const expectMovement = (): void => expectWithin(stallMs, `nothing could be sent for ${stallMs} ms`);
      expectMovement();
      body.on('data', expectMovement);
      body.once('error', (error) => call.destroy(error));
      body.once('end', expectAnswer);
      body.pipe(call);
    } else {
      expectAnswer();
      call.end(body);
    }
  });
}

/** Ends an answer that has stopped coming. One whose reader is behind has not: then it is the reader who is slow. */
function watchForStalls(answer: IncomingMessage, stallMs: number, method: string, url: string): void {
  const stalled = (): void => {
    if (answer.readableLength > 0) answer.setTimeout(stallMs);
    else answer.destroy(transportError(method, url, new Error(`no data for ${stallMs} ms`)));
  };
  answer.setTimeout(stallMs, stalled);
}

/** A body that is kept in memory is small: one that takes longer comes by drops, to keep us waiting. */
const BODY_MAX_MS = 300_000;

/** A whole body of at most `maxBytes`. @throws RegistryError */
export async function readBody(answer: IncomingMessage, maxBytes: number, what: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  const tooSlow = new RegistryError(`${what} did not come within ${BODY_MAX_MS / 1000} seconds`, { transient: true });
  const timer = setTimeout(() => answer.destroy(tooSlow), BODY_MAX_MS);
  try {
    for await (const part of answer) {
      total += (part as Buffer).length;
      if (total > maxBytes) throw new RegistryError(`${what} is over ${maxBytes} bytes`);
      parts.push(part as Buffer);
    }
  } catch (error) {
    if (error instanceof RegistryError || error instanceof GantryError) throw error;
    throw new RegistryError(`${what}: unexpected EOF`, { transient: true, cause: error });
  } finally {
    clearTimeout(timer);
    answer.destroy();
  }
  return Buffer.concat(parts);
}

const ERROR_BODY_MAX = 64 * 1024;

/** Reads the rest of a body that nobody wants, so that its connection can be used again; one without end is cut off. */
export function discard(answer: IncomingMessage): void {
  let total = 0;
  answer.on('data', (part: Buffer) => {
    total += part.length;
    if (total > ERROR_BODY_MAX) answer.destroy();
  });
}

/** The error that an answer with a status of 400 or more stands for. Reads its body. */
export async function errorOf(answer: IncomingMessage): Promise<RegistryError> {
  const body = await readBody(answer, ERROR_BODY_MAX, 'the error').catch(() => Buffer.alloc(0));
  return answerError(answer.statusCode ?? 0, answer.statusMessage ?? '', body, answer.headers['retry-after']);
}
