// Owns the times of `--since` and `--until`: durations before now, dates, RFC 3339 and Unix seconds. Pure.
import { goQuote, parseGoDuration } from './grammar/go-text.ts';

/**
 * `seconds[.nanos]` as the API takes it.
 * @throws Error in Docker's words
 * @source docker 28.2.2 timestamp.GetTimestamp
 */
export function apiTime(text: string, nowMs: number): string {
  const ago = durationOf(text);
  if (ago !== undefined) return String(Math.floor((nowMs - ago / 1e6) / 1000));
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(\.\d+)?)?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(
    text,
  );
  if (match === null) throw new Error(`failed to parse value as time or duration: ${goQuote(text)}`);
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match;
  if (Number(month) < 1 || Number(month) > 12) throw new Error(`parsing time ${goQuote(text)}: month out of range`);
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(time)) throw new Error(`parsing time ${goQuote(text)}: day out of range`);
  return `${Math.floor(time / 1000)}.${fraction.slice(1).padEnd(9, '0').slice(0, 9)}`;
}

function durationOf(text: string): number | undefined {
  try {
    return parseGoDuration(text);
  } catch {
    return undefined;
  }
}
