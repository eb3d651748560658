// Owns writing an iterable of bytes as a reply body at the client's pace. Knows no content.

import type { ServerResponse } from 'node:http';

/** Writes until the iterable ends or the client is gone; then the iterable is closed. Leaves the response open. */
export async function writeAll(response: ServerResponse, chunks: AsyncIterable<Uint8Array | string>): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    if (response.destroyed) return resolve();
    response.once('drain', done);
    response.once('close', done);
  });
}
