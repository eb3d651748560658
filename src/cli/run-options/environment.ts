// Owns `-e`, `--env-file`, `--label` and `--label-file`, and the proxies of config.json.
import { readFileSync } from 'node:fs';
import type { ConfigFile } from '../config/file.ts';
import type { Environment } from '../config/host.ts';

/** Refuses `=x` and the empty text. @throws Error in Docker's words */
export function checkEnv(text: string): void {
  if (text === '' || text.startsWith('=')) throw new Error(`invalid environment variable: ${text}`);
}

/** Refuses a label without a name. @throws Error in Docker's words */
export function checkLabel(text: string): void {
  if ((text.split('=')[0] ?? '').trim() === '') throw new Error(`invalid label '${text}': empty name`);
}

/**
 * `NAME=value` for every file line and flag; a name alone takes its value from `env`, or stays alone for a flag.
 * @throws Error in Docker's words when a file cannot be read or has a bad line
 */
export function envList(files: readonly string[], texts: readonly string[], env: Environment): string[] {
  const fromFiles = files.flatMap((file) =>
    readKeyValueFile(file).flatMap((line) => {
      if (line.includes('=')) return [line];
      return env[line] === undefined ? [] : [`${line}=${env[line]}`];
    }),
  );
  const byName = new Map<string, string>();
  for (const text of texts) {
    const whole = text.includes('=') || env[text] === undefined ? text : `${text}=${env[text]}`;
    byName.set(nameOf(whole), whole);
  }
  return [...fromFiles, ...byName.values()];
}

/** Labels by name, later ones winning. @throws Error in Docker's words */
export function labelMap(files: readonly string[], texts: readonly string[]): Record<string, string> {
  // Docker drops a line of a file that has no value, but keeps such a flag.
  const fromFiles = files.flatMap(readKeyValueFile).filter((line) => line.includes('='));
  const lines = [...fromFiles, ...texts];
  return Object.fromEntries(lines.map((line) => [nameOf(line), line.slice(nameOf(line).length + 1)]));
}

const PROXY_VARIABLES: Readonly<Record<string, string>> = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
};

/** `-e` texts plus the proxies that config.json gives for `host`, unless `-e` sets them. */
export function withProxies(texts: readonly string[], config: ConfigFile, host: string): string[] {
  const proxies = config.data.proxies?.[host] ?? config.data.proxies?.default ?? {};
  const names = new Set(texts.map(nameOf));
  const added: string[] = [];
  for (const [key, variable] of Object.entries(PROXY_VARIABLES)) {
    const value = proxies[key];
    if (!value) continue;
    for (const name of [variable, variable.toLowerCase()]) if (!names.has(name)) added.push(`${name}=${value}`);
  }
  return [...texts, ...added];
}

function nameOf(text: string): string {
  const equals = text.indexOf('=');
  return equals === -1 ? text : text.slice(0, equals);
}

function readKeyValueFile(path: string): string[] {
  const lines: string[] = [];
  for (const raw of readTextFile(path)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const name = nameOf(line);
    if (/\s/.test(name)) throw new Error(`invalid env file (${path}): variable '${name}' contains whitespaces`);
    if (name === '') throw new Error(`invalid env file (${path}): no variable name on line '${line}'`);
    lines.push(line);
  }
  return lines;
}

/** A file's text. @throws Error as Go words a failed open */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`open ${path}: ${openFailure(error)}`);
  }
}

/** Why a file did not open, in the system's words. */
export function openFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT') return 'no such file or directory';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'is a directory';
  return error instanceof Error ? error.message : String(error);
}
