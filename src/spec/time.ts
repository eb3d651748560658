// Owns Docker's time texts: RFC 3339 with nanoseconds, Unix timestamps with fractions, Go durations, and "2 hours". No clock.

import { GantryError } from '../lib/errors.ts';

/** Go's zero time, Docker's word for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const NANOS_PER_SECOND = 1_000_000_000n;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?(Z|[+-]\d{2}:\d{2})$/;

/** True for '', absent and Go's zero time. */
export function isZeroTime(text: string | undefined): boolean {
  return !text || text.startsWith('0001-01-01T00:00:00');
}

/** Unix nanoseconds of an RFC 3339 text; undefined when it is none. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(millis)) return undefined;
  return BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** RFC 3339 in UTC with as many fraction digits as needed, as Go's RFC3339Nano. `unixNanos` from 1970 to 9999. */
export function formatRfc3339(unixNanos: bigint): string {
  const seconds = new Date(Number(unixNanos / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (unixNanos % NANOS_PER_SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Whole Unix seconds of an RFC 3339 text; `otherwise` when it is none. */
export function unixSeconds(text: string, otherwise = 0): number {
  const nanos = parseRfc3339(text);
  return nanos === undefined ? otherwise : Number(floorDiv(nanos, NANOS_PER_SECOND));
}

function floorDiv(a: bigint, b: bigint): bigint {
  return a < 0n && a % b !== 0n ? a / b - 1n : a / b;
}

/**
 * Unix nanoseconds of `seconds[.fraction]`, the only form that the API takes for since and until; undefined for ''.
 * @throws BAD_TIMESTAMP, kind system, with Go's text: Docker answers 500. @source dockerd 28.5.2: events?since=x
 */
export function parseUnixTimestamp(text: string): bigint | undefined {
  if (text === '') return undefined;
  const dot = text.indexOf('.');
  const seconds = parseInt64(dot < 0 ? text : text.slice(0, dot));
  if (dot < 0) return seconds * NANOS_PER_SECOND;
  const fraction = text.slice(dot + 1);
  const nanos = parseInt64(fraction.slice(0, 9).padEnd(9, '0'));
  return seconds * NANOS_PER_SECOND + nanos;
}

function parseInt64(text: string): bigint {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?\d+$/.test(text)) {
    throw new GantryError('system', 'BAD_TIMESTAMP', `strconv.ParseInt: parsing ${quoted}: invalid syntax`);
  }
  // More digits than 64 bits have: no need to read millions of them.
  const value = /[1-9]\d{19}/.test(text) ? 2n ** 63n : BigInt(text.replace(/^\+/, ''));
  if (value > 2n ** 63n - 1n || value < -(2n ** 63n)) {
    throw new GantryError('system', 'BAD_TIMESTAMP', `strconv.ParseInt: parsing ${quoted}: value out of range`);
  }
  return value;
}

const UNIT_NANOS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a Go duration such as `1h10m` or `-1.5s`; undefined when it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(text);
  if (!match?.[2]) return undefined;
  let nanos = 0;
  for (const [, number, unit] of match[2].matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    nanos += Number(number) * (UNIT_NANOS[unit ?? ''] ?? 0);
  }
  return Number.isFinite(nanos) ? BigInt(Math.round(match[1] === '-' ? -nanos : nanos)) : undefined;
}

const PARTIAL_DATES: readonly RegExp[] = [
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?$/,
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/,
  /^\d{4}-\d{2}-\d{2}$/,
];

/**
 * Unix nanoseconds of what an `until` filter may hold: a Go duration before `nowNanos`, a date in local time, RFC 3339, or Unix
 * seconds. Undefined when it is none of them. @source moby timetypes.GetTimestamp
 */
export function parseMoment(text: string, nowNanos: bigint): bigint | undefined {
  const duration = parseGoDuration(text);
  if (duration !== undefined && !/^\d+$/.test(text)) return nowNanos - duration;
  if (/^-?\d+(\.\d+)?$/.test(text)) return parseUnixTimestamp(text);
  const exact = parseRfc3339(text);
  if (exact !== undefined) return exact;
  if (!PARTIAL_DATES.some((pattern) => pattern.test(text))) return undefined;
  const millis = Date.parse(/T/.test(text) ? text : `${text}T00:00:00`);
  return Number.isNaN(millis) ? undefined : BigInt(millis) * 1_000_000n;
}

/** "4 minutes" and the like, as Docker words durations in STATUS. @source docker/go-units HumanDuration */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(milliseconds / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(Math.trunc(milliseconds / 3_600_000) / 24 / 365)} years`;
}

/** Milliseconds from an RFC 3339 moment to `nowMillis`; 0 when the text is none. */
export function millisSince(text: string, nowMillis: number): number {
  const nanos = parseRfc3339(text);
  return nanos === undefined ? 0 : nowMillis - Number(nanos / 1_000_000n);
}
