// Owns sizes, durations and shortened texts for people, in Docker's wording. Pure.
import { humanDuration } from '../../spec/time.ts';

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

/** Bytes by powers of 1000 with `precision` digits, e.g. `2.07MB`. @source docker/go-units HumanSizeWithPrecision */
export function humanSize(bytes: number, precision = 3): string {
  return scaled(bytes, 1000, DECIMAL_UNITS, precision);
}

/** Bytes by powers of 1024, e.g. `23.54GiB`. @source docker/go-units BytesSize */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY_UNITS, 4);
}

function scaled(bytes: number, base: number, units: readonly string[], precision: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit++;
  }
  return `${significant(size, precision)}${units[unit] ?? ''}`;
}

/** Go's `%.*g`: at most `digits` significant ones, exponent form where the integer part is longer. */
function significant(value: number, digits: number): string {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -4 || exponent >= digits) {
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, 'e')
      .replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return String(Number(value.toPrecision(digits)));
}

/** The words for how long ago `unixSeconds` was; `nowMs` is the present. */
export function agoText(unixSeconds: number, nowMs: number): string {
  return `${humanDuration(nowMs - unixSeconds * 1000)} ago`;
}

/** The first twelve characters of an id, its algorithm cut off. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, '').slice(0, 12);
}

/** `text` in at most `width` columns, ending in an ellipsis when cut; wide characters count twice. */
export function ellipsis(text: string, width: number): string {
  const chars = [...text];
  if (width <= 0) return '';
  if (columnsOf(text) <= width) return text;
  if (width === 1) return chars[0] ?? '';
  let used = 0;
  let kept = '';
  for (const char of chars) {
    used += charColumns(char);
    if (used > width - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += charColumns(char);
  return columns;
}

function charColumns(char: string): number {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u.test(
    char,
  )
    ? 2
    : 1;
}

/** `2024-01-02 03:04:05 +0000 UTC` in the local zone, as Go prints a time of whole seconds. */
export function goTimeText(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time} ${zone} ${zoneName(date, zone)}`;
}

function zoneName(date: Date, fallback: string): string {
  if (date.getTimezoneOffset() === 0 && (process.env.TZ === undefined || process.env.TZ === 'UTC')) return 'UTC';
  const name = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value;
  return name === undefined || name.startsWith('GMT') ? fallback.slice(0, 3) : name;
}

/** An RFC 3339 time with nanoseconds as Go prints it: `2024-01-02 03:04:05.123456789 +0000 UTC`. */
export function goNanoTimeText(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?(Z|([+-]\d{2}):(\d{2}))$/.exec(text);
  if (match === null) return text;
  const [, day = '', time = '', fraction = '', zone = '', hours = '+00', minutes = '00'] = match;
  const offset = `${hours}${minutes}`;
  return `${day} ${time}${fraction.replace(/0+$/, '').replace(/^\.$/, '')} ${offset} ${zone === 'Z' ? 'UTC' : offset}`;
}

/** A time with nine decimals in the local zone, as events and logs show it. */
export function rfc3339Nano(unixSeconds: number, unixNanos: number | bigint): string {
  const nanos = String(BigInt(unixNanos) % 1_000_000_000n).padStart(9, '0');
  return rfc3339(unixSeconds, `.${nanos}`);
}

/** A time of whole seconds in the local zone, a `fraction` such as `.5` behind them. */
export function rfc3339(unixSeconds: number, fraction = ''): string {
  const offset = -new Date(unixSeconds * 1000).getTimezoneOffset();
  const local = new Date(unixSeconds * 1000 + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}${fraction}Z`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const size = Math.abs(offset);
  return `${local}${fraction}${offset < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
}
