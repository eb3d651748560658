// Owns reading and writing the client's config.json. Keeps keys it does not know.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFoldersSync } from '../../lib/make-folders.ts';
import { CommandFailure } from '../failure.ts';

/** Stored credentials of one registry. @source docker 28.2.2 config.json */
export interface StoredAuth {
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** What the command line reads of config.json; the rest is kept untouched. */
interface ConfigData {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly currentContext?: string;
  readonly detachKeys?: string;
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly [key: string]: unknown;
}

/** The config of one folder. */
export interface ConfigFile {
  readonly folder: string;
  readonly path: string;
  readonly data: ConfigData;
  /** A format such as `psFormat`, or nothing. */
  format(key: string): string;
  /** Replaces keys (undefined removes one) and writes the file whole, readable by the owner only. */
  update(changes: Readonly<Record<string, unknown>>): void;
}

/**
 * Reads `folder`/config.json; a missing file is an empty config.
 * @throws CommandFailure (1) when the file is no JSON object
 */
export function readConfigFile(folder: string): ConfigFile {
  const path = join(folder, 'config.json');
  let data = readData(path);
  return {
    folder,
    path,
    get data() {
      return data;
    },
    format: (key) => {
      const value = data[key];
      return typeof value === 'string' ? value : '';
    },
    update: (changes) => {
      data = JSON.parse(JSON.stringify({ ...data, ...changes })) as ConfigData;
      writeWhole(path, `${JSON.stringify(data, undefined, '\t')}\n`);
    },
  };
}

function readData(path: string): ConfigData {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return {};
    throw new CommandFailure(1, `Error loading config file: ${path}: ${String(error)}`);
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as ConfigData;
  } catch {
    // Reported below, together with JSON that is no object.
  }
  throw new CommandFailure(1, `Error loading config file: ${path}: it is not a JSON object`);
}

function writeWhole(path: string, text: string): void {
  makeFoldersSync(dirname(path), 0o700);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
