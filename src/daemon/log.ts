// Owns the daemon's own log: one line an entry on stderr, by level.

import type { ApiLogger } from '../api/index.ts';
import { currentTrace } from '../lib/trace.ts';
import type { LogLevel } from './config.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

/** What is logged, and how. */
export interface LogOptions {
  /** Asked at each entry: a reload may change it. */
  readonly level: () => LogLevel;
  readonly format: 'text' | 'json';
}

/** Writes entries at the level and above. */
export function createLogger({ level, format }: LogOptions, write: (line: string) => unknown): ApiLogger {
  const enabled = (wanted: LogLevel): boolean => ORDER.indexOf(wanted) >= ORDER.indexOf(level());
  const lineOf = format === 'json' ? jsonLine : textLine;
  return {
    enabled,
    log(wanted, message, fields = {}) {
      if (!enabled(wanted)) return;
      const trace = currentTrace();
      write(lineOf(wanted, message, trace === undefined ? fields : { ...fields, trace: trace.id }));
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function textLine(level: LogLevel, message: string, fields: Fields): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `time="${new Date().toISOString()}" level=${level} msg=${JSON.stringify(message)}${rest.join('')}\n`;
}

/** @source dockerd 28.5 --log-format json */
function jsonLine(level: LogLevel, msg: string, fields: Fields): string {
  return `${JSON.stringify({ ...fields, level, msg, time: new Date().toISOString() })}\n`;
}
