// Owns the file-system driver: blobs in an OCI image layout, uploads as files beside it. Knows no repository.
//
//     <root>/
//       content/                     an OCI image layout
//         oci-layout, index.json
//         blobs/sha256/<hex>         whole and verified
//         blobs/sha512/<hex>
//       uploads/<32 hex>             being written

import { readdirSync, rmSync } from 'node:fs';
import { open, opendir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GantryError } from '../../../lib/errors.ts';
import { makeFoldersSync } from '../../../lib/make-folders.ts';
import { algorithmOf, type Digest, hexOf, parseAnyDigest } from '../../../spec/digest.ts';
import { digestMismatch, noSuchBlob, noSuchUpload, outOfOrder, tooLarge, withDiskFull } from '../errors.ts';
import { digestBytes, RunningHashes } from '../hashing.ts';
import type { Append, ByteRange, Storage, StoredBlob, StoredUpload } from '../types.ts';
import { appendTo, hashFile } from './append.ts';

const ALGORITHMS = ['sha256', 'sha512'] as const;
const UPLOAD = /^[0-9a-f]{32}$/;
/** What a thousand slow readers hold of it each. */
const READ_BUFFER_BYTES = 64 * 1024;

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** Opens the store under `root`, making it when absent. */
export async function openFileStorage(root: string): Promise<Storage> {
  const content = join(root, 'content');
  const uploads = join(root, 'uploads');
  for (const algorithm of ALGORITHMS) makeFoldersSync(join(content, 'blobs', algorithm), 0o700);
  makeFoldersSync(uploads, 0o700);
  // A crash may have left something half written; uploads are gone on with.
  for (const name of readdirSync(uploads)) if (!UPLOAD.test(name)) rmSync(join(uploads, name), { force: true });
  await writeOnce(join(content, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeOnce(join(content, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  return new FileStorage(content, uploads);
}

async function writeOnce(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  });
}

class FileStorage implements Storage {
  readonly #content: string;
  readonly #uploads: string;
  readonly #hashes = new RunningHashes();

  constructor(content: string, uploads: string) {
    this.#content = content;
    this.#uploads = uploads;
  }

  localPath(digest: Digest): string {
    return join(this.#content, 'blobs', algorithmOf(digest), hexOf(digest));
  }

  async size(digest: Digest): Promise<number | undefined> {
    return sizeOf(this.localPath(digest));
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    const handle = await open(this.localPath(digest)).catch((error: unknown) => {
      throw isMissing(error) ? noSuchBlob(digest) : error;
    });
    if (range && range.end <= range.start) {
      await handle.close();
      return Readable.from([]);
    }
    const bounds = range ? { start: range.start, end: range.end - 1 } : {};
    return handle.createReadStream({ ...bounds, highWaterMark: READ_BUFFER_BYTES });
  }

  async readSmall(digest: Digest, maxBytes: number): Promise<Buffer> {
    const handle = await open(this.localPath(digest)).catch((error: unknown) => {
      throw isMissing(error) ? noSuchBlob(digest) : error;
    });
    try {
      if ((await handle.stat()).size > maxBytes) throw tooLarge(digest, maxBytes);
      const bytes = await handle.readFile();
      if (digestBytes(algorithmOf(digest), bytes) !== digest) {
        throw new GantryError('system', 'BLOB_DAMAGED', `content ${digest} is damaged in the store`);
      }
      return bytes;
    } finally {
      await handle.close();
    }
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const got = digestBytes(algorithmOf(digest), bytes);
    if (got !== digest) throw digestMismatch(digest, got);
    const path = this.localPath(digest);
    await replace(path, join(this.#uploads, `put-${hexOf(digest)}`), bytes);
  }

  async writeIndex(text: AsyncIterable<string>): Promise<void> {
    const path = join(this.#content, 'index.json');
    await replace(path, `${path}.new`, text);
  }

  async begin(id: string): Promise<void> {
    await withDiskFull(() => writeFile(this.#upload(id), '', { flag: 'wx', mode: 0o600 }));
    this.#hashes.begin(id);
  }

  async append(id: string, source: AsyncIterable<Uint8Array>, append: Append): Promise<number> {
    const handle = await open(this.#upload(id), 'r+').catch((error: unknown) => {
      throw isMissing(error) ? noSuchUpload(id) : error;
    });
    try {
      const { size } = await handle.stat();
      if (size !== append.offsetBytes) throw outOfOrder(append.offsetBytes, size);
      return await withDiskFull(() => appendTo(handle, source, append, this.#hashes.take(id, size)));
    } finally {
      // A running hash that is ahead of or behind the file would only cost a second reading.
      this.#hashes.settle(id, (await handle.stat()).size);
      await handle.close();
    }
  }

  async uploadSize(id: string): Promise<number | undefined> {
    return sizeOf(this.#upload(id));
  }

  async finish(id: string, digest: Digest): Promise<number> {
    const path = this.#upload(id);
    const handle = await open(path, 'r+').catch((error: unknown) => {
      throw isMissing(error) ? noSuchUpload(id) : error;
    });
    try {
      const { size } = await handle.stat();
      const algorithm = algorithmOf(digest);
      const got = (await this.#hashes.digest(id, size, algorithm)) ?? (await hashFile(handle, algorithm));
      if (got !== digest) throw digestMismatch(digest, got);
      // A power cut may take the newest records, but leaves none that names bytes which are not there.
      await withDiskFull(() => handle.datasync());
      await rename(path, this.localPath(digest));
      return size;
    } finally {
      await handle.close();
      await this.abort(id);
    }
  }

  async abort(id: string): Promise<void> {
    this.#hashes.forget(id);
    await rm(this.#upload(id), { force: true });
  }

  async *uploads(): AsyncGenerator<StoredUpload> {
    for await (const entry of await opendir(this.#uploads)) {
      const id = entry.name;
      if (!UPLOAD.test(id)) continue;
      const facts = await stat(this.#upload(id)).catch(() => undefined);
      if (facts) yield { id, sizeBytes: facts.size, touchedAtMs: facts.mtimeMs };
    }
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.localPath(digest), { force: true });
  }

  async *blobs(): AsyncGenerator<StoredBlob> {
    for (const algorithm of ALGORITHMS) {
      for await (const entry of await opendir(join(this.#content, 'blobs', algorithm))) {
        const digest = parseAnyDigest(`${algorithm}:${entry.name}`);
        const sizeBytes = digest && (await this.size(digest));
        if (digest && sizeBytes !== undefined) yield { digest, sizeBytes };
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hashes[Symbol.asyncDispose]();
  }

  #upload(id: string): string {
    if (!UPLOAD.test(id)) throw noSuchUpload(id);
    return join(this.#uploads, id);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Puts a file in the place of `path`, written as `fresh` first: nobody sees the half of it. @throws DISK_FULL */
async function replace(path: string, fresh: string, content: Uint8Array | AsyncIterable<string>): Promise<void> {
  await withDiskFull(async () => {
    try {
      await writeFile(fresh, content, { mode: 0o600, flush: true });
      await rename(fresh, path);
    } finally {
      await rm(fresh, { force: true });
    }
  });
}
