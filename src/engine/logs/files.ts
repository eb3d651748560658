// Owns the files of one rotated log: their order, reading forward from a position, finding the last n lines. Reads only.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const BLOCK_BYTES = 256 * 1024;
/** Docker's own limit on rotated files is unlimited; more than this is a mistake or an attack. */
const MOST_FILES = 1000;
const GZIP_MOST_BYTES = 1024 * 1024 * 1024;
const inflate = promisify(gunzip);

/** The log's files that exist, oldest first; rotated ones may be gzipped. */
export async function logFiles(path: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (let n = 1; n <= MOST_FILES; n++) {
    const plain = await exists(`${path}.${n}`);
    if (!plain && !(await exists(`${path}.${n}.gz`))) break;
    files.unshift(plain ? `${path}.${n}` : `${path}.${n}.gz`);
  }
  if (await exists(path)) files.push(path);
  return files;
}

async function exists(path: string): Promise<boolean> {
  return (await inodeOf(path)) !== undefined;
}

/** Identifies a file through renames; undefined when absent. */
export async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch {
    return undefined;
  }
}

/** A log file being read from the front in blocks that end at a line's end. */
export class LogCursor implements AsyncDisposable {
  readonly inode: bigint;
  readonly #handle: FileHandle;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #block: Buffer | undefined;

  private constructor(handle: FileHandle, inode: bigint) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** Opens `path`, or resolves to undefined when it is gone. */
  static async open(path: string, offset = 0): Promise<LogCursor | undefined> {
    const handle = await open(path, 'r').catch(() => undefined);
    if (!handle) return undefined;
    const cursor = new LogCursor(handle, (await handle.stat({ bigint: true })).ino);
    cursor.#offset = offset;
    return cursor;
  }

  /** The next whole lines, '' at the present end of the file. An unfinished last line stays for the next call. */
  async read(): Promise<string> {
    this.#block ??= Buffer.allocUnsafe(BLOCK_BYTES);
    await this.#restartIfTruncated();
    const { bytesRead } = await this.#handle.read(this.#block, 0, BLOCK_BYTES, this.#offset);
    if (bytesRead === 0) return '';
    this.#offset += bytesRead;
    const fresh = this.#block.subarray(0, bytesRead);
    const end = fresh.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      this.#rest = Buffer.concat([this.#rest, fresh]);
      return this.read();
    }
    const text =
      this.#rest.length > 0
        ? Buffer.concat([this.#rest, fresh.subarray(0, end)]).toString()
        : fresh.toString('utf8', 0, end);
    this.#rest = Buffer.from(fresh.subarray(end));
    return text;
  }

  /** A log kept in one file is cut to nothing when it is full. */
  async #restartIfTruncated(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size >= this.#offset) return;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** All text of a finished gzipped file. */
export async function readGzip(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    return (await inflate(await handle.readFile(), { maxOutputLength: GZIP_MOST_BYTES })).toString();
  } finally {
    await handle.close();
  }
}

/** Where the last `lines` lines of the files begin. */
export interface TailPosition {
  /** Index into the files. */
  readonly file: number;
  /** Bytes; for a gzipped file, lines to drop from its front are counted in `skipLines` instead. */
  readonly offset: number;
  readonly skipLines: number;
}

export async function tailPosition(files: readonly string[], lines: number): Promise<TailPosition> {
  let missing = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index] ?? '';
    if (file.endsWith('.gz')) {
      const count = (await readGzip(file)).split('\n').length - 1;
      if (count >= missing) return { file: index, offset: 0, skipLines: count - missing };
      missing -= count;
      continue;
    }
    const found = await offsetOfLastLines(file, missing);
    if (found.missing === 0) return { file: index, offset: found.offset, skipLines: 0 };
    missing = found.missing;
  }
  return { file: 0, offset: 0, skipLines: 0 };
}

async function offsetOfLastLines(path: string, lines: number): Promise<{ offset: number; missing: number }> {
  const handle = await open(path, 'r');
  try {
    const block = Buffer.allocUnsafe(64 * 1024);
    let end = (await handle.stat()).size;
    if (lines === 0) return { offset: end, missing: 0 };
    let newlines = 0;
    while (end > 0) {
      const start = Math.max(0, end - block.length);
      const { bytesRead } = await handle.read(block, 0, end - start, start);
      for (
        let at = block.lastIndexOf(0x0a, bytesRead - 1);
        at >= 0;
        at = at === 0 ? -1 : block.lastIndexOf(0x0a, at - 1)
      ) {
        // The newline before the wanted first line: one more than the lines, because the last line ends with one too.
        if (newlines++ === lines) return { offset: start + at + 1, missing: 0 };
      }
      end = start;
    }
    return { offset: 0, missing: lines - newlines };
  } finally {
    await handle.close();
  }
}
