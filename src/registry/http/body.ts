// Owns taking a request's body as it arrives. Node's own iterator joins the pieces that wait, which copies them, and takes several turns
// of the event loop for each.

import type { IncomingMessage } from 'node:http';

/** With more that nobody took yet, the sender waits. */
const WAITING_MAX_BYTES = 256 * 1024;

/** The pieces of a body. Who stops half-way leaves the connection as it is. @throws what ended the request, when that was not its end */
export async function* piecesOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  if (request.readableEnded) return;
  let pieces: Buffer[] = [];
  let waiting = 0;
  let isEnded = false;
  let failure: Error | undefined;
  let arrival = Promise.withResolvers<void>();
  const onData = (piece: Buffer): void => {
    pieces.push(piece);
    waiting += piece.length;
    if (waiting >= WAITING_MAX_BYTES) request.pause();
    arrival.resolve();
  };
  const onEnd = (): void => {
    isEnded = true;
    arrival.resolve();
  };
  const onError = (error: Error): void => {
    failure ??= error;
    arrival.resolve();
  };
  const onClose = (): void => {
    if (!isEnded) onError(Object.assign(new Error('the sender went away'), { code: 'ECONNRESET' }));
  };
  request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  try {
    if (request.destroyed) onClose();
    for (;;) {
      const taken = pieces;
      pieces = [];
      waiting = 0;
      for (const piece of taken) yield piece;
      if (pieces.length > 0) continue;
      if (failure) throw failure;
      if (isEnded) return;
      arrival = Promise.withResolvers();
      if (request.isPaused()) request.resume();
      await arrival.promise;
    }
  } finally {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    request.pause();
    // An error that nobody hears would end the process.
    if (request.closed) request.off('error', onError);
  }
}
