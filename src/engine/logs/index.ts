// Owns reading a container's log back: across rotated files, by tail and time, and following a live one. Never writes.

import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { inodeOf, LogCursor, logFiles, type OpenLogFile, openLogFiles, readGzip, tailPosition } from './files.ts';
import { isPast, type LineOptions, renderLines } from './format.ts';

/** The log to read. */
export interface LogSource {
  /** The newest file; older ones are `<path>.1`, `.2`, … */
  readonly path: string;
  /** Aborted once no more lines can come; following ends after what is then in the file. */
  readonly ended: AbortSignal;
}

export interface ReadOptions extends LineOptions {
  readonly follow: boolean;
  /** Number of last lines; undefined = all. */
  readonly tail?: number | undefined;
}

/** Followers may be many, and some never read: each holds one block. */
const FOLLOWER_BLOCK_BYTES = 32 * 1024;
/** When the kernel's file notices are not to be had, the file is looked at this often. */
const POLL_MS = 200;

/**
 * Yields chunks ready for the wire. Ends at the end that the log has at the first read, or with `follow` when the source has ended
 * or `signal` fires.
 */
export async function* readLog(
  source: LogSource,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using files = new OpenFiles(await openLogFiles(source.path));
  const { tail } = options;
  const start = tail === undefined ? { file: 0, offset: 0, skipLines: 0 } : await tailPosition(files.all, tail);
  let newest: LogCursor | undefined;
  for (const [index, file] of files.all.entries()) {
    await files.closeBefore(index);
    if (index < start.file) continue;
    const first = index === start.file;
    newest = undefined;
    if (file.zipped) {
      yield* chunks([skipLines(await readGzip(file), first ? start.skipLines : 0)], options);
    } else {
      newest = new LogCursor(file, first ? start.offset : 0, options.follow ? undefined : file.size);
      if (yield* drain(newest, options, signal)) return;
    }
  }
  if (options.follow) yield* follow(source, newest, options, signal);
}

/** The files that one reader holds. */
class OpenFiles implements AsyncDisposable {
  readonly all: readonly OpenLogFile[];
  #closed = 0;

  constructor(all: readonly OpenLogFile[]) {
    this.all = all;
  }

  /** Lets go of those that were read: a follower keeps one descriptor, however often its log was rotated before. */
  async closeBefore(index: number): Promise<void> {
    while (this.#closed < index) await this.all[this.#closed++]?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeBefore(this.all.length);
  }
}

/** Yields what the cursor holds now. Returns true when reading is over (past `until`, or the signal). */
async function* drain(
  cursor: LogCursor,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, boolean> {
  for (;;) {
    if (signal.aborted) return true;
    const step = await nextStep(cursor, options);
    if (step === undefined) return false;
    if (step.chunk.length > 0) yield step.chunk;
    if (step.isLast) return true;
  }
}

/** The text is let go of before its lines are handed on: a reader that does not read holds them once, not twice. */
async function nextStep(
  cursor: LogCursor,
  options: ReadOptions,
): Promise<{ readonly chunk: Uint8Array; readonly isLast: boolean } | undefined> {
  const text = await cursor.read(options.follow ? FOLLOWER_BLOCK_BYTES : undefined);
  if (text === '') return undefined;
  const isLast = options.until !== undefined && isPast(text, options.until);
  return { chunk: renderLines(text, options), isLast };
}

function* chunks(texts: readonly string[], options: ReadOptions): Generator<Uint8Array> {
  for (const text of texts) {
    const chunk = renderLines(text, options);
    if (chunk.length > 0) yield chunk;
  }
}

function skipLines(text: string, count: number): string {
  let from = 0;
  for (let n = 0; n < count; n++) from = text.indexOf('\n', from) + 1;
  return text.slice(from);
}

async function* follow(
  source: LogSource,
  first: LogCursor | undefined,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const notices = new FileNotices(source, options.until, signal);
  let cursor = first;
  try {
    for (;;) {
      const over = notices.over();
      cursor ??= await LogCursor.open(source.path);
      if (cursor && (yield* drain(cursor, options, signal))) return;
      const next: LogCursor | undefined = cursor && (await newerThan(source.path, cursor));
      if (cursor && next) {
        // A line may have come between the last read and the rotation.
        if (yield* drain(cursor, options, signal)) return;
        await cursor[Symbol.asyncDispose]();
        cursor = next;
        continue;
      }
      if (over || signal.aborted) return;
      await notices.next();
    }
  } finally {
    notices[Symbol.dispose]();
    if (cursor !== first) await cursor?.[Symbol.asyncDispose]();
  }
}

/** The file written after the one that `cursor` reads, when that was rotated away. */
async function newerThan(path: string, cursor: LogCursor): Promise<LogCursor | undefined> {
  for (;;) {
    if ((await inodeOf(path)) === cursor.inode) return undefined;
    const next = await fileAfter(path, cursor.inode);
    if (next === undefined) return undefined;
    const opened = await LogCursor.open(next);
    // Another rotation may have come between the looking and the opening.
    const wanted = await fileAfter(path, cursor.inode);
    if (opened && wanted !== undefined && (await inodeOf(wanted)) === opened.inode) return opened;
    await opened?.[Symbol.asyncDispose]();
  }
}

async function fileAfter(path: string, inode: bigint): Promise<string | undefined> {
  const files = await logFiles(path);
  const inodes = await Promise.all(files.map(inodeOf));
  // Rotated out of existence: go on with the oldest that is left.
  return files[inodes.indexOf(inode) + 1];
}

/** Wakes a follower when the log's folder changes, its source ends, its time is up or it is aborted. */
class FileNotices implements Disposable {
  readonly #source: LogSource;
  readonly #signal: AbortSignal;
  readonly #until: bigint | undefined;
  readonly #stop: (() => void)[] = [];
  #changed = false;
  #wake: () => void = () => {};

  constructor(source: LogSource, until: bigint | undefined, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    this.#until = until;
    const notify = (): void => {
      this.#changed = true;
      this.#wake();
    };
    for (const one of [source.ended, signal]) {
      one.addEventListener('abort', notify, { once: true });
      this.#stop.push(() => one.removeEventListener('abort', notify));
    }
    this.#watch(notify);
    if (until !== undefined) {
      const timer = setTimeout(notify, Math.max(0, Number(until / 1_000_000n) - Date.now()) + 1);
      this.#stop.push(() => clearTimeout(timer));
    }
  }

  over(): boolean {
    const late = this.#until !== undefined && BigInt(Date.now()) * 1_000_000n > this.#until;
    return this.#source.ended.aborted || this.#signal.aborted || late;
  }

  async next(): Promise<void> {
    if (!this.#changed && !this.over()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
  }

  #watch(notify: () => void): void {
    try {
      const watcher = watch(dirname(this.#source.path), notify);
      watcher.on('error', notify);
      this.#stop.push(() => watcher.close());
    } catch {
      const timer = setInterval(notify, POLL_MS);
      this.#stop.push(() => clearInterval(timer));
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
  }
}
