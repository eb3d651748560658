// Owns content by digest in an OCI image layout: written aside, verified, then renamed into sight. Knows no image.

import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../lib/errno.ts';
import { GantryError } from '../lib/errors.ts';
import { randomId } from '../lib/ids.ts';
import { type Digest, digestOfHex, hexOf } from '../spec/digest.ts';

/** Largest manifest or configuration that is read into memory. @source OCI distribution specification 1.1 */
export const MANIFEST_MAX_BYTES = 4 << 20;

/** As many pieces as one call writes. @source IOV_MAX */
const PARTS_MAX = 1024;

/** A file being written that vanishes when disposed. */
export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  /** Writes all of `parts`, from `position` on, or where the file ends. @throws NO_SPACE and other failures, with the path */
  write(parts: readonly Uint8Array[], position?: number): Promise<void>;
}

/** Verified content. Every blob that can be read has the digest of its name. */
export interface Blobs {
  has(digest: Digest): Promise<boolean>;
  path(digest: Digest): string;
  /** A small blob. @throws NO_SUCH_BLOB, BLOB_TOO_LARGE, BLOB_DAMAGED when the disk gives other bytes than were written */
  read(digest: Digest, maxBytes?: number): Promise<Buffer>;
  /** Keeps `bytes`; what is there and damaged is replaced. @throws DIGEST_MISMATCH when `expected` is given and is not theirs */
  put(bytes: Uint8Array, expected?: Digest): Promise<Digest>;
  /**
   * Keeps a stream; one that is already there, or just being kept, is not read again.
   * @throws DIGEST_MISMATCH, SIZE_MISMATCH, and whatever `source` throws: then nothing is left behind
   */
  ingest(source: () => AsyncIterable<Uint8Array>, expected: { digest: Digest; sizeBytes?: number }): Promise<void>;
  /** A file in the ingest folder for content of unknown digest. */
  scratch(): Promise<ScratchFile>;
  remove(digest: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
  /** Removes what an earlier process left half-written. Files of this process are spared. */
  sweepIngest(): Promise<void>;
}

/** Opens the store at `contentDir`, making it when absent. */
export function openBlobs(contentDir: string): Blobs {
  const blobsDir = join(contentDir, 'blobs', 'sha256');
  const ingestDir = join(contentDir, 'ingest');
  mkdirSync(blobsDir, { recursive: true, mode: 0o700 });
  mkdirSync(ingestDir, { recursive: true, mode: 0o700 });
  writeOnce(join(contentDir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeOnce(join(contentDir, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  const writing = new Set<string>();
  const ingesting = new Map<Digest, Promise<void>>();
  const path = (digest: Digest): string => join(blobsDir, hexOf(digest));
  const has = (digest: Digest): Promise<boolean> =>
    stat(path(digest)).then(
      () => true,
      () => false,
    );

  const scratch = async (): Promise<ScratchFile> => {
    const name = randomId().slice(0, 24);
    writing.add(name);
    const file = join(ingestDir, name);
    const handle = await open(file, 'wx+', 0o600).catch((error) => {
      writing.delete(name);
      throw ioError(error, 'open', file);
    });
    return {
      path: file,
      handle,
      async write(parts, position) {
        await writeParts(handle, parts, position).catch((error) => {
          throw ioError(error, 'write', file);
        });
      },
      async [Symbol.asyncDispose]() {
        await handle.close();
        await rm(file, { force: true });
        writing.delete(name);
      },
    };
  };

  const ingest = async (source: AsyncIterable<Uint8Array>, digest: Digest, sizeBytes?: number): Promise<void> => {
    await using file = await scratch();
    const hash = createHash('sha256');
    let total = 0;
    for await (const piece of source) {
      total += piece.length;
      if (sizeBytes !== undefined && total > sizeBytes) throw sizeMismatch(digest, sizeBytes, total);
      hash.update(piece);
      await file.write([piece]);
    }
    if (sizeBytes !== undefined && total !== sizeBytes) throw sizeMismatch(digest, sizeBytes, total);
    verify(digest, digestOfHex(hash.digest('hex')));
    await intoPlace(file.path, path(digest));
  };

  return {
    has,
    path,
    scratch,
    async read(digest, maxBytes = MANIFEST_MAX_BYTES) {
      const { size } = await stat(path(digest)).catch(() => {
        throw new GantryError('notFound', 'NO_SUCH_BLOB', `content ${digest} not found`);
      });
      if (size > maxBytes)
        throw new GantryError('invalid', 'BLOB_TOO_LARGE', `content ${digest} is over ${maxBytes} bytes`);
      const bytes = await readFile(path(digest)).catch((error) => {
        throw ioError(error, 'read', path(digest));
      });
      if (digestOf(bytes) !== digest)
        throw new GantryError('system', 'BLOB_DAMAGED', `content ${digest} is damaged on disk`);
      return bytes;
    },
    async put(bytes, expected) {
      const digest = digestOf(bytes);
      if (expected !== undefined) verify(expected, digest);
      if (await holds(path(digest), bytes)) return digest;
      await using file = await scratch();
      await file.write([bytes]);
      // What lies there is something else, even a folder.
      await rm(path(digest), { recursive: true, force: true });
      await intoPlace(file.path, path(digest));
      return digest;
    },
    async ingest(source, { digest, sizeBytes }) {
      if (await has(digest)) return;
      let running = ingesting.get(digest);
      if (!running) {
        running = ingest(source(), digest, sizeBytes).finally(() => ingesting.delete(digest));
        ingesting.set(digest, running);
      }
      await running;
    },
    remove: (digest) => rm(path(digest), { force: true }),
    async list() {
      const names = await readdir(blobsDir);
      return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map(digestOfHex);
    },
    async sweepIngest() {
      for (const name of await readdir(ingestDir)) {
        if (!writing.has(name)) await rm(join(ingestDir, name), { force: true, recursive: true });
      }
    },
  };
}

/** The sha256 of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestOfHex(createHash('sha256').update(bytes).digest('hex'));
}

/** True when the file is there and holds just these bytes. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  const there = await readFile(path).catch(() => undefined);
  return there?.equals(bytes) ?? false;
}

async function intoPlace(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error) => {
    throw ioError(error, 'rename', to);
  });
}

async function writeParts(handle: FileHandle, parts: readonly Uint8Array[], position?: number): Promise<void> {
  let at = position;
  let left = parts;
  while (left.length > 0) {
    const batch = left.slice(0, PARTS_MAX);
    left = left.slice(PARTS_MAX);
    const total = batch.reduce((sum, { length }) => sum + length, 0);
    const { bytesWritten } = await handle.writev(batch, at);
    if (at !== undefined) at += bytesWritten;
    // The kernel may take less than all: the rest is written as one.
    if (bytesWritten < total) left = [Buffer.concat(batch).subarray(bytesWritten), ...left];
  }
}

function writeOnce(path: string, text: string): void {
  try {
    const fd = openSync(path, 'wx', 0o600);
    writeFileSync(fd, text);
    closeSync(fd);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  }
}

function verify(wanted: Digest, got: Digest): void {
  if (wanted === got) return;
  throw new GantryError('system', 'DIGEST_MISMATCH', `content digest ${wanted} does not match: got ${got}`, {
    params: { wanted, got },
  });
}

function sizeMismatch(digest: Digest, wanted: number, got: number): GantryError {
  return new GantryError('system', 'SIZE_MISMATCH', `content ${digest}: expected ${wanted} bytes, got ${got}`);
}
