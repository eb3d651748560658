// Owns reading single values of a configuration: flags before the file, words, booleans, headers and secrets. Knows no key.

import { readFileSync } from 'node:fs';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { ConfigFile } from './schema.ts';

/** The value of a flag or its variable. */
export interface Setting {
  readonly text: string;
  /** `--addr`, or `GANTRY_REGISTRY_ADDR`: errors name it. */
  readonly name: string;
}

/** Flags and variables, which take precedence over the file. */
export type Settings = (flag: string) => Setting | undefined;

/** Headers of HTTP, several values of one joined. @throws CONFIG_INVALID for a malformed header */
export function flatHeaders(
  headers: Readonly<Record<string, string | string[]>> | undefined,
  key: string,
): Record<string, string> {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z0-9-]+$/.test(name) || /[\r\n\0]/.test(value))
      throw invalid(`${key}: the header ${JSON.stringify(name)} is malformed`);
  }
  return Object.fromEntries(entries);
}

/** A secret, or the content of its file. @throws CONFIG_INVALID when the file cannot be read */
export function secretOf(
  { sourceOf }: From,
  secret: string | { readonly file: string } | undefined,
  key: string,
): string | undefined {
  if (secret === undefined || typeof secret === 'string') return secret;
  try {
    return readFileSync(secret.file, 'utf8').trimEnd();
  } catch (cause) {
    throw invalid(`${sourceOf(key)}: cannot read the secret: ${messageOf(cause)}`);
  }
}

/** The sources of values. */
export interface From {
  readonly given: Settings;
  readonly file: ConfigFile;
  readonly sourceOf: (key: string) => string;
}

/** A flag's or variable's text, or the file's. */
export function textOf(
  { given, sourceOf }: From,
  flag: string,
  inFile: string | undefined,
  key: string,
): Setting | undefined {
  return given(flag) ?? (inFile === undefined ? undefined : { text: inFile, name: sourceOf(key) });
}

/** @throws CONFIG_INVALID for anything but one of `words` */
export function oneOf<T extends string>(setting: Setting | undefined, words: readonly T[]): T | undefined {
  if (setting === undefined) return undefined;
  const found = words.find((word) => word === setting.text);
  if (found !== undefined) return found;
  throw invalid(`${setting.name}: ${JSON.stringify(setting.text)} is none of ${words.join(', ')}`);
}

/** A boolean in Go's notation. @throws CONFIG_INVALID for anything else @source strconv.ParseBool */
export function boolOf(setting: Setting | undefined): boolean | undefined {
  if (setting === undefined) return undefined;
  if (/^(?:1|t|T|true|TRUE|True)$/.test(setting.text)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(setting.text)) return false;
  throw invalid(`${setting.name}: ${JSON.stringify(setting.text)} is neither true nor false`);
}

/** Without the members that are undefined. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** @returns CONFIG_INVALID */
export function invalid(message: string): GantryError {
  return new GantryError('invalid', 'CONFIG_INVALID', message);
}
