// Owns reading a runtime's log: the message that says why it failed. Pure.

/**
 * The last error in a log of JSON lines, of `key="value"` lines or of bare lines; '' when there is none.
 * The log's beginning may be cut off.
 */
export function runtimeLogMessage(log: string): string {
  const found = log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine);
  const errors = found.filter(({ isError }) => isError);
  return (errors.at(-1) ?? found.at(-1))?.message ?? '';
}

interface Line {
  readonly isError: boolean;
  readonly message: string;
}

const QUIET_LEVELS = new Set(['trace', 'debug', 'info', 'warning', 'warn']);

function parseLine(line: string): Line {
  return parseJson(line) ?? parseKeyValue(line) ?? { isError: true, message: line.trim() };
}

function parseJson(line: string): Line | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, msg }: { level?: unknown; msg?: unknown } = JSON.parse(line);
    return typeof msg === 'string' ? { isError: !QUIET_LEVELS.has(String(level)), message: msg } : undefined;
  } catch {
    return undefined;
  }
}

/** `time="…" level=error msg="…"`, as logrus writes it. */
function parseKeyValue(line: string): Line | undefined {
  const match = /\blevel=(\w+) msg=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(line);
  if (match === null) return undefined;
  const [, level = '', quoted, bare] = match;
  const message = quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1');
  return { isError: !QUIET_LEVELS.has(level), message };
}
