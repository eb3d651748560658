// Owns undoing the compression around a whole archive that a client sends: gzip and zstd here, bzip2 and xz by their tools.

import { spawn } from 'node:child_process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { GantryError } from '../../../lib/errors.ts';
import { type Compression, compressionOf, MAGIC_BYTES } from '../unpack/index.ts';
import { inflateError } from '../unpack/inflate.ts';

const PIECE_BYTES = 256 * 1024;
/** An archive names the memory its reader needs, up to 4 GiB; `xz -9` asks for 65 MiB. */
const XZ_MEMORY = '--memlimit-decompress=256MiB';

/** The plain bytes of `archive`, whatever it is compressed by. @throws CORRUPT_LAYER, TRUNCATED_LAYER, TOOL_MISSING */
export async function* decompressed(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  const { head, rest } = await peek(archive);
  const compression = compressionOf(head);
  if (compression === 'none') {
    yield head;
    for await (const piece of rest) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    return;
  }
  yield* throughStage(head, rest, stageFor(compression));
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

interface Stage {
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when the stage has ended by itself. */
  readonly ended: Promise<void>;
  stop(): void;
}

function stageFor(compression: Exclude<Compression, 'none'>): Stage {
  if (compression === 'gzip' || compression === 'zstd') {
    const inflater =
      compression === 'gzip'
        ? createGunzip({ chunkSize: PIECE_BYTES })
        : createZstdDecompress({ chunkSize: PIECE_BYTES });
    return { input: inflater, output: inflater, ended: Promise.resolve(), stop: () => inflater.destroy() };
  }
  const limit = compression === 'xz' ? [XZ_MEMORY] : [];
  const child = spawn(compression, ['-d', '-c', '-q', ...limit], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(
        new GantryError('system', 'TOOL_MISSING', `exec: "${compression}": executable file not found in $PATH`, {
          cause,
        }),
      ),
    );
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new GantryError('invalid', 'CORRUPT_LAYER', `${compression}: damaged input`)),
    );
  });
  return { input: child.stdin, output: child.stdout, ended, stop: () => child.kill('SIGKILL') };
}

async function* throughStage(
  head: Buffer,
  rest: AsyncIterable<Uint8Array>,
  stage: Stage,
): AsyncGenerator<Buffer, void, void> {
  const joined = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    yield* rest;
  };
  // The output is read through a stream of its own, so that a failure of the input reaches the reader.
  const output = new PassThrough({ highWaterMark: 2 * PIECE_BYTES });
  const feeding = pipeline(joined(), stage.input);
  const reading = pipeline(stage.output, output);
  for (const work of [feeding, reading, stage.ended]) work.catch((error: Error) => output.destroy(error));
  try {
    for await (const piece of output) yield piece as Buffer;
    await Promise.all([feeding, reading, stage.ended]);
  } catch (error) {
    throw error instanceof GantryError ? error : translated(error);
  } finally {
    stage.stop();
    output.destroy();
    await Promise.allSettled([feeding, reading, stage.ended]);
  }
}

function translated(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(Z_|ZSTD_)/.test(code) ? inflateError(error) : error;
}
