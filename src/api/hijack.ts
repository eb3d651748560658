// Owns the first bytes after a takeover: Docker's heads of attach and exec, and errors in place of them. Moves no output.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../lib/errors.ts';
import { encodeOutput } from '../spec/stream/frames.ts';
import { statusOf } from './errors.ts';
import { RAW_STREAM } from './versions/streams.ts';

/** The head of a taken-over connection; `more` are further header lines, each with its line end. @source dockerd 28.5.2 */
export function hijackHead(upgraded: boolean, contentType: string, more = ''): string {
  if (!upgraded) return `HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n${more}\r\n`;
  return `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${more}\r\n`;
}

/** Ends an attach that could not be: a status line and plain text, as Docker does there and nowhere else. */
export function refuseAttach(connection: Duplex, error: unknown): void {
  const status = statusOf(error);
  connection.on('error', () => undefined);
  connection.resume();
  connection.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${RAW_STREAM}\r\n\r\n${messageOf(error)}\r\n`,
    () => connection.destroy(),
  );
}

/** A failure reported inside a stream that is open already: a stdout frame, or plain bytes on a terminal. */
export function streamedFailure(error: unknown, tty: boolean): Buffer {
  return encodeOutput(`${messageOf(error)}\r\n`, tty);
}
