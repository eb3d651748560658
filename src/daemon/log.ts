// Owns the daemon's own log: one line an entry on stderr, by level.

import type { ApiLogger } from '../api/index.ts';
import type { LogLevel } from './config.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

/** Writes entries at `level` and above. */
export function createLogger(level: LogLevel, write: (line: string) => unknown): ApiLogger {
  const least = ORDER.indexOf(level);
  const enabled = (wanted: LogLevel): boolean => ORDER.indexOf(wanted) >= least;
  return {
    enabled,
    log(wanted, message, fields = {}) {
      if (!enabled(wanted)) return;
      const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      write(`time="${new Date().toISOString()}" level=${wanted} msg=${JSON.stringify(message)}${rest.join('')}\n`);
    },
  };
}
