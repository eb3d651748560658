// Owns `-e`, `--env-file`, `--label` and `--label-file`, and the proxies of config.json.

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { ConfigFile } from '../config/file.ts';
import type { Environment } from '../config/host.ts';
import { HintedError } from '../failure.ts';
import { HINT_OF_FLAG } from '../hints.table.ts';
import { systemReason } from '../system-reason.ts';

/** Refuses `=x` and the empty text. @throws Error in Docker's words */
export function checkEnv(text: string): void {
  if (text === '' || text.startsWith('='))
    throw new HintedError(`invalid environment variable: ${text}`, HINT_OF_FLAG.env);
}

/** Refuses a label without a name. @throws Error in Docker's words */
export function checkLabel(text: string): void {
  const name = nameOf(text).replace(/^[ \t]+/, '');
  if (name === '') throw new Error(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(name)) throw new Error(`label '${name}' contains whitespaces`);
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
  const fromFlags = texts.map((text) =>
    text.includes('=') || env[text] === undefined ? text : `${text}=${env[text]}`,
  );
  return [...fromFiles, ...fromFlags];
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

/** `-e` texts, of each name the last, plus the proxies that config.json gives for `host`, unless `-e` sets them. */
export function withProxies(texts: readonly string[], config: ConfigFile, host: string): string[] {
  const proxies = config.data.proxies?.[host] ?? config.data.proxies?.default ?? {};
  const names = new Set(texts.map(nameOf));
  const added: string[] = [];
  for (const [key, variable] of Object.entries(PROXY_VARIABLES)) {
    const value = proxies[key];
    if (!value) continue;
    for (const name of [variable, variable.toLowerCase()]) if (!names.has(name)) added.push(`${name}=${value}`);
  }
  return [...new Map(texts.map((text) => [nameOf(text), text])).values(), ...added];
}

function nameOf(text: string): string {
  const equals = text.indexOf('=');
  return equals === -1 ? text : text.slice(0, equals);
}

/** Longest line of a file, in bytes. @source Go bufio.MaxScanTokenSize */
const LINE_MAX_BYTES = 64 * 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LINE_FEED = 0x0a;

/** The lines of a file that mean something. @source docker/cli pkg/kvfile */
function readKeyValueFile(path: string): string[] {
  const bytes = readBytes(path);
  const refuse = (what: string): never => {
    throw new HintedError(
      `invalid env file (${path}): ${what}`,
      what.includes('utf8') ? 'save the file as UTF-8' : undefined,
    );
  };
  const lines: string[] = [];
  let number = 0;
  for (let at = 0; at < bytes.length; number++) {
    const found = bytes.indexOf(LINE_FEED, at);
    const end = found === -1 ? bytes.length : found;
    let raw = bytes.subarray(at, end);
    at = end + 1;
    if (raw.length >= LINE_MAX_BYTES) refuse('bufio.Scanner: token too long');
    if (raw.at(-1) === 0x0d) raw = raw.subarray(0, -1);
    if (!isUtf8(raw)) refuse(`invalid utf8 bytes at line ${number + 1}: [${raw.join(' ')}]`);
    if (number === 0 && raw.subarray(0, 3).equals(BYTE_ORDER_MARK)) raw = raw.subarray(3);
    const line = raw.toString().replace(/^\p{White_Space}+/u, '');
    if (line === '' || line.startsWith('#')) continue;
    const name = nameOf(line);
    if (/\p{White_Space}/u.test(name)) refuse(`variable '${name}' contains whitespaces`);
    if (name === '') refuse(`no variable name on line '${line}'`);
    lines.push(line);
  }
  return lines;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const opened = error instanceof Error && 'code' in error && error.code === 'EISDIR';
    const what = `${opened ? 'read' : 'open'} ${path}: ${systemReason(error)}`;
    throw new Error(opened ? `invalid env file (${path}): ${what}` : what);
  }
}

/** A file's text. @throws Error as Go words a failed open */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`open ${path}: ${systemReason(error)}`);
  }
}
