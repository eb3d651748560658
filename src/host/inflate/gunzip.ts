// Owns inflating gzip as gzip(1) does: members one after the other, and what follows the last that is none is passed over.
//
// Node's own stream fails on such a rest, and then keeps back what it had inflated just before.

import { Duplex } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';

/** Of the stream that is given more than its member. */
const TRAILING = 'ERR_TRAILING_JUNK_AFTER_STREAM_END';

type Done = (error?: Error | null) => void;

/** An inflating stream; `pieceBytes` is the size of the pieces that come out. */
export class GunzipMembers extends Duplex {
  readonly #pieceBytes: number;
  #member: Gunzip;
  /** Called when the piece being written is used up, or not all of it is this member's. */
  #written: ((error: Error | undefined) => void) | undefined;
  /** The first byte after a member, kept until the second is there. */
  #head: Buffer = Buffer.alloc(0);
  #between = false;
  #over = false;

  constructor(pieceBytes: number) {
    super({ readableHighWaterMark: pieceBytes, writableHighWaterMark: pieceBytes });
    this.#pieceBytes = pieceBytes;
    this.#member = this.#open();
  }

  override _read(): void {
    this.#member.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#over) done();
    else if (this.#between) this.#next(chunk, done);
    else this.#feed(chunk, done);
  }

  override _final(done: Done): void {
    // A member that ended where the input ends is closed all the same, and checks that it did.
    if (!this.#over && !this.#between) {
      this.#member.once('end', () => this.push(null));
      this.#member.end();
    } else this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#written = undefined;
    this.#member.destroy();
    done(error);
  }

  #open(): Gunzip {
    const member = createGunzip({ chunkSize: this.#pieceBytes, rejectGarbageAfterEnd: true });
    member.on('data', (piece: Buffer) => {
      if (!this.push(piece)) member.pause();
    });
    member.on('error', (error) => {
      if (this.#written) this.#written(error);
      else this.destroy(error);
    });
    return member;
  }

  #feed(bytes: Buffer, done: Done): void {
    const member = this.#member;
    const before = member.bytesWritten;
    let settled = false;
    this.#written = (error) => {
      if (settled) return;
      settled = true;
      this.#written = undefined;
      if (error === undefined) done();
      else if ((error as { code?: unknown }).code !== TRAILING) done(error);
      else {
        // A reader that is slow has left pieces in the member's buffer, which its failure does not take away.
        for (let left: Buffer | null = member.read(); left !== null; left = member.read()) this.push(left);
        this.#between = true;
        this.#next(bytes.subarray(member.bytesWritten - before), done);
      }
    };
    member.write(bytes, (error) => {
      if (!error) this.#written?.(undefined);
    });
  }

  /** Between members: another one begins, or the rest is of no interest. */
  #next(bytes: Buffer, done: Done): void {
    const rest = Buffer.concat([this.#head, bytes]);
    this.#head = rest;
    if (rest.length < 2 && rest[0] === 0x1f) {
      done();
      return;
    }
    this.#head = Buffer.alloc(0);
    this.#between = false;
    this.#over = rest[0] !== 0x1f || rest[1] !== 0x8b;
    if (this.#over) {
      done();
      return;
    }
    this.#member.destroy();
    this.#member = this.#open();
    this.#feed(rest, done);
  }
}
