// Owns the files of one rotated log: their order, reading forward from a position, finding the last n lines. Reads only.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const BLOCK_BYTES = 256 * 1024;
/** Kept for the next reads: a follower that waits, or whose reader does, holds none. */
const SPARE_BLOCKS = 4;
const spareBlocks: Buffer[] = [];
/** Docker's own limit on rotated files is unlimited; more than this is a mistake or an attack. */
const MOST_FILES = 1000;
const GZIP_MOST_BYTES = 1024 * 1024 * 1024;
const inflate = promisify(gunzip);

/** The log's files that exist, oldest first; rotated ones may be gzipped. */
export async function logFiles(path: string): Promise<readonly string[]> {
  const files: string[] = [];
  if (await exists(path)) files.push(path);
  let missing = 0;
  for (let n = 1; n <= MOST_FILES && missing < 2; n++) {
    const found = await nthFile(path, n);
    // One may be missing in the middle of a rotation, which begins at the oldest.
    if (found === undefined) missing++;
    else files.unshift(found);
  }
  return files;
}

async function nthFile(path: string, n: number): Promise<string | undefined> {
  for (const name of [`${path}.${n}`, `${path}.${n}.gz`]) if (await exists(name)) return name;
  return undefined;
}

/** One file of a log, held open: it may be rotated away while it waits to be read. */
export interface OpenLogFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly inode: bigint;
  /** When it was opened; bytes. A busy container's newest file grows faster than it can be read. */
  readonly size: number;
  readonly zipped: boolean;
}

/**
 * Opens all files of the log, oldest first. The newest is opened first: what is rotated meanwhile is met again under its next
 * name, and taken once.
 */
export async function openLogFiles(path: string): Promise<readonly OpenLogFile[]> {
  const files: OpenLogFile[] = [];
  let missing = 0;
  for (let n = 0; n <= MOST_FILES && missing < 2; n++) {
    const names = n === 0 ? [path] : [`${path}.${n}`, `${path}.${n}.gz`];
    const file = await openFirst(names);
    if (file === undefined) missing += n === 0 ? 0 : 1;
    else if (files.some(({ inode }) => inode === file.inode)) await file[Symbol.asyncDispose]();
    else files.unshift(file);
  }
  return files;
}

async function openFirst(names: readonly string[]): Promise<OpenLogFile | undefined> {
  for (const name of names) {
    const handle = await open(name, 'r').catch(() => undefined);
    if (!handle) continue;
    const { ino, size } = await handle.stat({ bigint: true });
    return {
      handle,
      inode: ino,
      size: Number(size),
      zipped: name.endsWith('.gz'),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  }
  return undefined;
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
  readonly #end: number;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the file over, from `offset` to `end` (as far as it goes, when absent), both in bytes. */
  constructor({ handle, inode }: Pick<OpenLogFile, 'handle' | 'inode'>, offset = 0, end = Number.POSITIVE_INFINITY) {
    this.#handle = handle;
    this.inode = inode;
    this.#offset = offset;
    this.#end = end;
  }

  /** Opens `path`, or resolves to undefined when it is gone. */
  static async open(path: string): Promise<LogCursor | undefined> {
    const file = await openFirst([path]);
    return file && new LogCursor(file);
  }

  /** The next whole lines, at most about `mostBytes`; '' at the present end of the file. An unfinished last line stays for the next call. */
  async read(mostBytes = BLOCK_BYTES): Promise<string> {
    const block = spareBlocks.pop() ?? Buffer.allocUnsafe(BLOCK_BYTES);
    try {
      for (;;) {
        await this.#restartIfTruncated();
        const wanted = Math.min(mostBytes, this.#end - this.#offset);
        const { bytesRead } = await this.#handle.read(block, 0, wanted, this.#offset);
        if (bytesRead === 0) return '';
        this.#offset += bytesRead;
        const text = this.#wholeLines(block.subarray(0, bytesRead));
        if (text !== '') return text;
      }
    } finally {
      if (spareBlocks.length < SPARE_BLOCKS) spareBlocks.push(block);
    }
  }

  /** The lines that `fresh` completes; what follows them is kept. */
  #wholeLines(fresh: Buffer): string {
    const end = fresh.lastIndexOf(0x0a) + 1;
    const before = this.#rest;
    if (end === 0) {
      this.#rest = Buffer.concat([before, fresh]);
      return '';
    }
    this.#rest = Buffer.from(fresh.subarray(end));
    return before.length > 0
      ? Buffer.concat([before, fresh.subarray(0, end)]).toString()
      : fresh.toString('utf8', 0, end);
  }

  /** A log kept in one file is cut to nothing when it is full. */
  async #restartIfTruncated(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size >= this.#offset || this.#end !== Number.POSITIVE_INFINITY) return;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** All text of a finished gzipped file. */
export async function readGzip({ handle, size }: OpenLogFile): Promise<string> {
  const packed = Buffer.allocUnsafe(size);
  const { bytesRead } = await handle.read(packed, 0, size, 0);
  return (await inflate(packed.subarray(0, bytesRead), { maxOutputLength: GZIP_MOST_BYTES })).toString();
}

/** Where the last `lines` lines of the files begin. */
export interface TailPosition {
  /** Index into the files. */
  readonly file: number;
  /** Bytes; for a gzipped file, lines to drop from its front are counted in `skipLines` instead. */
  readonly offset: number;
  readonly skipLines: number;
}

export async function tailPosition(files: readonly OpenLogFile[], lines: number): Promise<TailPosition> {
  let missing = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index];
    if (!file) break;
    if (file.zipped) {
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

async function offsetOfLastLines(
  { handle, size }: OpenLogFile,
  lines: number,
): Promise<{ offset: number; missing: number }> {
  const block = Buffer.allocUnsafe(64 * 1024);
  let end = size;
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
}
