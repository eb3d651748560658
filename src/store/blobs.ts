// Owns content by digest in an OCI image layout: written to a scratch file, verified, then renamed to its digest. Knows no image.

import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../lib/errno.ts';
import { GantryError } from '../lib/errors.ts';
import { type Digest, digestOfHex, hexOf } from '../spec/digest.ts';
import { IngestFolder, type ScratchFile } from './ingest-folder.ts';

export type { ScratchFile } from './ingest-folder.ts';

/** Largest manifest or configuration that is read into memory. @source OCI distribution specification 1.1 */
export const MANIFEST_MAX_BYTES = 4 << 20;

/** Verified content. Every blob that can be read matches the digest in its name. */
export interface Blobs {
  has(digest: Digest): Promise<boolean>;
  path(digest: Digest): string;
  /** A small blob. @throws NO_SUCH_BLOB, BLOB_TOO_LARGE, BLOB_DAMAGED when the bytes on disk have changed */
  read(digest: Digest, maxBytes?: number): Promise<Buffer>;
  /** Stores `bytes`, and replaces a damaged blob. @throws DIGEST_MISMATCH when `expected` is given and does not match them */
  put(bytes: Uint8Array, expected?: Digest): Promise<Digest>;
  /**
   * Stores a stream. A blob that is stored already, or is being stored, is not read again.
   * @throws DIGEST_MISMATCH, SIZE_MISMATCH, and what `source` throws; then nothing is stored
   */
  ingest(source: () => AsyncIterable<Uint8Array>, expected: { digest: Digest; sizeBytes?: number }): Promise<void>;
  /** A scratch file for content whose digest is not known yet. */
  scratch(): Promise<ScratchFile>;
  remove(digest: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
  /** Removes unfinished files of earlier processes, not those of this one. */
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
  return new FileBlobs(blobsDir, new IngestFolder(ingestDir));
}

class FileBlobs implements Blobs {
  readonly #dir: string;
  readonly #ingest: IngestFolder;
  /** Streams that are being stored: one for each digest. */
  readonly #ingesting = new Map<Digest, Promise<void>>();

  constructor(dir: string, ingest: IngestFolder) {
    this.#dir = dir;
    this.#ingest = ingest;
  }

  path(digest: Digest): string {
    return join(this.#dir, hexOf(digest));
  }

  has(digest: Digest): Promise<boolean> {
    return stat(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  async read(digest: Digest, maxBytes = MANIFEST_MAX_BYTES): Promise<Buffer> {
    const path = this.path(digest);
    const { size } = await stat(path).catch(() => {
      throw new GantryError('notFound', 'NO_SUCH_BLOB', `content ${digest} not found`);
    });
    if (size > maxBytes)
      throw new GantryError('invalid', 'BLOB_TOO_LARGE', `content ${digest} is over ${maxBytes} bytes`);
    const bytes = await readFile(path).catch((error) => {
      throw ioError(error, 'read', path);
    });
    if (digestOf(bytes) !== digest)
      throw new GantryError('system', 'BLOB_DAMAGED', `content ${digest} is damaged on disk`);
    return bytes;
  }

  async put(bytes: Uint8Array, expected?: Digest): Promise<Digest> {
    const digest = digestOf(bytes);
    if (expected !== undefined) verify(expected, digest);
    const path = this.path(digest);
    if (await holds(path, bytes)) return digest;
    await using file = await this.#ingest.scratch();
    await file.write([bytes]);
    // Whatever is there is damaged; it may even be a folder.
    await rm(path, { recursive: true, force: true });
    await intoPlace(file.path, path);
    return digest;
  }

  async ingest(
    source: () => AsyncIterable<Uint8Array>,
    { digest, sizeBytes }: { digest: Digest; sizeBytes?: number },
  ): Promise<void> {
    if (await this.has(digest)) return;
    let running = this.#ingesting.get(digest);
    if (!running) {
      running = this.#ingestNow(source(), digest, sizeBytes).finally(() => this.#ingesting.delete(digest));
      this.#ingesting.set(digest, running);
    }
    await running;
  }

  scratch(): Promise<ScratchFile> {
    return this.#ingest.scratch();
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async list(): Promise<readonly Digest[]> {
    const names = await readdir(this.#dir);
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map(digestOfHex);
  }

  sweepIngest(): Promise<void> {
    return this.#ingest.sweep();
  }

  async #ingestNow(source: AsyncIterable<Uint8Array>, digest: Digest, sizeBytes?: number): Promise<void> {
    await using file = await this.#ingest.scratch();
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
    await intoPlace(file.path, this.path(digest));
  }
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
