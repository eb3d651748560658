// Owns undoing the compression around a stream of unknown kind.

import { pipeline } from 'node:stream/promises';
import { compressionOf, inflateError, inflaterFor, MAGIC_BYTES } from './inflate.ts';

/** The plain bytes of `archive`, whatever it is compressed by. @throws CORRUPT_LAYER, TRUNCATED_LAYER, TOOL_MISSING */
export async function* decompressed(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  const { head, rest } = await peek(archive);
  const inflater = inflaterFor(compressionOf(head));
  if (!inflater) {
    yield head;
    for await (const piece of rest) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    return;
  }
  const joined = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    yield* rest;
  };
  const feeding = pipeline(joined, inflater);
  feeding.catch(() => {});
  try {
    for await (const piece of inflater) yield piece as Buffer;
    await feeding;
  } catch (error) {
    throw isInflating(error) ? inflateError(error) : error;
  } finally {
    inflater.destroy();
  }
}

/** The first bytes, and an iterable of those after them. */
async function peek(archive: AsyncIterable<Uint8Array>): Promise<{ head: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const iterator = archive[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head, rest: { [Symbol.asyncIterator]: () => iterator } };
}

function isInflating(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(Z_|ZSTD_)/.test(code);
}
