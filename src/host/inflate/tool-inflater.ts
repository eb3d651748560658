// Owns inflating by a program of the host: bzip2 and xz. Its memory is bounded, and it ends with the stream.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { systemFailure } from '../../lib/errno.ts';
import { errnoWords } from '../../lib/errno-words.ts';
import { GantryError } from '../../lib/errors.ts';

export type InflateTool = 'bzip2' | 'xz';

/** An xz archive names the memory that its reader needs, up to 4 GiB; `xz -9` asks for 65 MiB. */
const ARGUMENTS: Readonly<Record<InflateTool, readonly string[]>> = {
  bzip2: ['-d', '-c'],
  xz: ['-d', '-c', '-q', '--memlimit-decompress=256MiB'],
};
const PACKAGES: Readonly<Record<InflateTool, string>> = { bzip2: 'bzip2', xz: 'xz-utils' };
const COMPLAINT_MAX_CHARS = 1024;

type Done = (error?: Error | null) => void;

/** An inflating stream. Fails with TOOL_MISSING, TRUNCATED_LAYER or CORRUPT_LAYER. */
export class ToolInflater extends Duplex {
  readonly #tool: InflateTool;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #complaint = '';

  constructor(tool: InflateTool, pieceBytes: number) {
    super({ readableHighWaterMark: pieceBytes, writableHighWaterMark: pieceBytes });
    this.#tool = tool;
    const child = spawn(tool, ARGUMENTS[tool], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // Without descriptors for its pipes the child has none, and its error comes later.
    if (!child.stdin) {
      child.once('error', () => {});
      throw systemFailure('EMFILE', `exec: "${tool}": ${errnoWords('EMFILE')}`, undefined);
    }
    child.stdout.on('data', (piece: Buffer) => {
      if (!this.push(piece)) child.stdout.pause();
    });
    child.stderr.on('data', (piece: Buffer) => {
      this.#complaint = (this.#complaint + piece.toString()).slice(0, COMPLAINT_MAX_CHARS);
    });
    // A program that ends before its input has a reason, which its exit tells.
    child.stdin.on('error', () => {});
    child.once('error', (cause) => this.destroy(this.#missing(cause)));
    child.once('close', (code) => {
      if (code === 0) this.push(null);
      else this.destroy(this.#failure());
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#child.stdin.write(chunk, () => done());
  }

  override _final(done: Done): void {
    this.#child.stdin.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    done(error);
  }

  /** @source dockerd 28.5 on a host without xz */
  #missing(cause: Error): GantryError {
    const message = `exec: "${this.#tool}": executable file not found in $PATH`;
    const hint = `install ${PACKAGES[this.#tool]} on the host of the engine`;
    return new GantryError('system', 'TOOL_MISSING', message, { cause, hint });
  }

  #failure(): GantryError {
    if (/unexpected/i.test(this.#complaint)) return new GantryError('invalid', 'TRUNCATED_LAYER', 'unexpected EOF');
    const detail = this.#complaint.trim().split('\n', 1)[0] || `${this.#tool}: damaged input`;
    return new GantryError('invalid', 'CORRUPT_LAYER', `corrupt compressed data: ${detail}`);
  }
}
