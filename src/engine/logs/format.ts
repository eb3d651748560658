// Owns the step from stored log lines (Docker's json-file) to bytes for the wire. Pure.

import { parseNano } from '../../lib/clock.ts';

/** What a reader asked for; times are Unix nanoseconds, inclusive. */
export interface LineOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Raw bytes instead of Docker's frames. */
  readonly tty: boolean;
}

interface StoredLine {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
  readonly attrs?: Readonly<Record<string, string>>;
}

const HEADER_BYTES = 8;
const STREAM_STDOUT = 1;
const STREAM_STDERR = 2;

/**
 * Renders whole stored lines as one chunk: a frame a line (header of stream number and big-endian length), or bare text for a tty.
 * A line that is no JSON (a torn write after a power cut) is passed over.
 */
export function renderLines(text: string, options: LineOptions): Buffer {
  // A record's text never grows when decoded: JSON adds at least 40 bytes a line; prefixes are bounded by what is added here.
  const extra = (options.timestamps ? 32 : 0) + HEADER_BYTES;
  let out: Buffer = Buffer.allocUnsafe(Buffer.byteLength(text) + 1024);
  let end = 0;
  let from = 0;
  for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', from)) {
    const line = parseLine(text.slice(from, at));
    from = at + 1;
    if (!line || !wanted(line, options)) continue;
    const body = prefix(line, options) + line.log;
    const needed = end + body.length * 3 + extra;
    if (needed > out.length) out = grow(out, end, needed);
    end = writeRecord(out, end, body, line.stream, options.tty);
  }
  return out.subarray(0, end);
}

function writeRecord(out: Buffer, at: number, body: string, stream: string, tty: boolean): number {
  if (tty) return at + out.write(body, at, 'utf8');
  const length = out.write(body, at + HEADER_BYTES, 'utf8');
  out.writeUInt32BE((stream === 'stderr' ? STREAM_STDERR : STREAM_STDOUT) << 24, at);
  out.writeUInt32BE(length, at + 4);
  return at + HEADER_BYTES + length;
}

function grow(out: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(needed * 2);
  out.copy(larger, 0, 0, used);
  return larger;
}

function parseLine(text: string): StoredLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<StoredLine> | null;
    if (typeof line?.log !== 'string' || typeof line.time !== 'string') return undefined;
    return {
      log: line.log,
      stream: line.stream ?? 'stdout',
      time: line.time,
      ...(line.attrs && { attrs: line.attrs }),
    };
  } catch {
    return undefined;
  }
}

function wanted(line: StoredLine, { stdout, stderr, since, until }: LineOptions): boolean {
  if (line.stream === 'stderr' ? !stderr : !stdout) return false;
  if (since === undefined && until === undefined) return true;
  const time = timeOf(line);
  return (since === undefined || time >= since) && (until === undefined || time <= until);
}

function timeOf(line: StoredLine): bigint {
  try {
    return parseNano(line.time);
  } catch {
    return 0n;
  }
}

/** `2006-01-02T15:04:05.000000000Z k=v,… ` @source dockerd 28.5: --details leaves a space where there is none */
function prefix(line: StoredLine, { timestamps, details }: LineOptions): string {
  let text = '';
  if (timestamps) text += `${nineDecimals(line.time)} `;
  if (details) {
    const pairs = Object.entries(line.attrs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    text += `${pairs.map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`).join(',')} `;
  }
  return text;
}

/** As Go's url.QueryEscape: a space is `+`, and only letters, digits and `-_.~` stay; half a surrogate pair becomes U+FFFD. */
function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function nineDecimals(time: string): string {
  const [seconds = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}Z`;
}

/** The latest time that ends reading: true when every line of `text` from its last on is after `until`. */
export function isPast(text: string, until: bigint): boolean {
  const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1, -1);
  const line = parseLine(last);
  return line !== undefined && timeOf(line) > until;
}
