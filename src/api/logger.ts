// Owns the little that the API asks of a logger. Writes nothing.

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A log that says first whether anybody listens, so that requests build no text for nobody. */
export interface ApiLogger {
  enabled(level: LogLevel): boolean;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Listens to nothing. */
export const SILENT_LOGGER: ApiLogger = { enabled: () => false, log: () => undefined };
