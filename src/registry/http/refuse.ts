// Owns the way an error goes out so that its sender sees it, also one that is in the middle of a body. Judges nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Log } from '../types.ts';
import { wireError } from './errors.ts';

/** How long the rest of a body is read and dropped after an early answer. @source nginx, lingering_time */
const LINGER_MS = 30_000;

/** The request that failed, for the log. */
export interface Failed {
  readonly id: string;
  readonly path: string;
}

/** Answers with what `error` stands for; after a first byte of another answer the connection ends instead. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  failed: Failed,
  log: Log,
): void {
  if (response.destroyed || response.socket?.destroyed) return;
  const { status, body, retryAfterSeconds } = wireError(error);
  if (status >= 500) {
    // What was foreseen needs no stack, a bug does.
    const isBug = error instanceof Error && !(error instanceof GantryError);
    const text = isBug ? (error.stack ?? error.message) : messageOf(error);
    log('error', `${request.method} ${failed.path.slice(0, 500)}: ${text}`, { id: failed.id });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  if (!request.complete) linger(request, response);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** True while the sender waits for leave to send its body, which nobody gave yet. */
export function isWaitingForLeave(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue' && request.httpVersion === '1.1';
}

/**
 * Reads on and drops what still comes. A connection that was closed over unread bytes would be reset, and the reset may overtake the
 * answer: the sender would see a broken pipe. Where the connection is to end, our half of it ends with the answer, and the other with
 * the body.
 */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const socket = request.socket as Socket & { destroySoon(): void };
  // Who was given no leave may send nothing at all: what comes next on the connection could be anything.
  if (isWaitingForLeave(request)) response.setHeader('Connection', 'close');
  // Node ends a connection by this method once the last answer is out.
  let isEnding = false;
  socket.destroySoon = () => {
    isEnding = true;
    socket.end();
  };
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  const settle = (): void => {
    clearTimeout(timer);
    Reflect.deleteProperty(socket, 'destroySoon');
    if (isEnding) socket.destroySoon();
  };
  request.once('close', settle);
  socket.once('close', () => clearTimeout(timer));
  request.resume();
}
