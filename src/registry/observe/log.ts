// Owns the lines that the registry writes: its log and its access log, as text or JSON. Writes nothing itself.

import type { RequestReport } from '../http/types.ts';
import type { Log, LogLevel } from '../types.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const PATH_MAX_CHARS = 2000;

/** A log that writes lines of at least `level`. */
export function createLog(level: LogLevel, format: 'text' | 'json', write: (line: string) => void): Log {
  const least = ORDER.indexOf(level);
  return (at, message, facts = {}) => {
    if (ORDER.indexOf(at) >= least) write(logLine(format, at, message, facts));
  };
}

/** One line of the log, with its newline. */
export function logLine(
  format: 'text' | 'json',
  level: LogLevel,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
): string {
  const time = new Date().toISOString();
  if (format === 'json') return `${JSON.stringify({ time, level, msg: message, ...facts })}\n`;
  return `${time} ${level.toUpperCase().padEnd(5)} ${printable(message)}${textOf(facts)}\n`;
}

/** An access log: one line a request, gathered and written once a turn of the event loop. */
export function createAccessLog(
  format: 'text' | 'json',
  write: (lines: string) => void,
): (report: RequestReport) => void {
  let waiting = '';
  return (report) => {
    if (waiting === '') {
      setImmediate(() => {
        const lines = waiting;
        waiting = '';
        write(lines);
      });
    }
    waiting += format === 'json' ? jsonLine(report) : textLine(report);
  };
}

function jsonLine(report: RequestReport): string {
  const { path, ...rest } = report;
  return `${JSON.stringify({ time: new Date().toISOString(), path: path.slice(0, PATH_MAX_CHARS), ...rest })}\n`;
}

function textLine(report: RequestReport): string {
  const {
    id,
    method,
    path,
    status,
    durationMs,
    bytesIn,
    bytesOut,
    remoteAddress,
    proxyAddress,
    actor,
    userAgent,
    isAborted,
  } = report;
  const from = proxyAddress === '' ? remoteAddress : `${remoteAddress}<${proxyAddress}`;
  const who = actor === '' ? '-' : printable(actor);
  const request = `${printable(method)} ${printable(path.slice(0, PATH_MAX_CHARS))}`;
  const end = isAborted ? 'aborted' : 'done';
  const agent = JSON.stringify(userAgent.slice(0, 300));
  return `${new Date().toISOString()} ${id} ${from} ${who} "${request}" ${status} ${bytesIn} ${bytesOut} ${durationMs.toFixed(1)}ms ${end} ${agent}\n`;
}

/** Nobody writes lines, or colours, into our log. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}"\\]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function textOf(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .map(([key, value]) => ` ${key}=${printable(String(value))}`)
    .join('');
}
