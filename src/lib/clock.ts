// Owns wall-clock time in nanoseconds and its RFC 3339 text as Go writes it. Knows no time zone but UTC.

let anchorHr = process.hrtime.bigint();
let anchorWall = BigInt(Date.now()) * 1_000_000n;

/** Unix time in nanoseconds: monotonic between calls, re-anchored when the wall clock was stepped by over 5 ms. */
export function nowNano(): bigint {
  const hr = process.hrtime.bigint();
  const wallMs = BigInt(Date.now());
  const derived = anchorWall + (hr - anchorHr);
  const driftMs = derived / 1_000_000n - wallMs;
  if (driftMs <= 5n && driftMs >= -5n) return derived;
  anchorHr = hr;
  anchorWall = wallMs * 1_000_000n;
  return anchorWall;
}

/** Docker's text for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC with up to nine fraction digits, trailing zeros trimmed (Go's RFC3339Nano). */
export function formatNano(unixNano: bigint): string {
  const seconds = new Date(Number(unixNano / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const nanos = unixNano % 1_000_000_000n;
  if (nanos === 0n) return `${seconds}Z`;
  return `${seconds}.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}

/** Unix nanoseconds of a text written by formatNano (any fraction length). @throws RangeError on anything else */
export function parseNano(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (!match) throw new RangeError(`not a UTC time: ${text}`);
  const seconds = BigInt(Date.parse(`${match[1]}Z`)) * 1_000_000n;
  return seconds + BigInt((match[2] ?? '').padEnd(9, '0'));
}
