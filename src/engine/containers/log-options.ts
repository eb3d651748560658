// Owns the options of the json-file log driver: which exist, what they mean, the attributes they add. Pure.

import { messageOf } from '../../lib/errors.ts';
import { shortId } from '../../lib/ids.ts';
import { textsMatching } from '../../lib/pattern.ts';
import type { ContainerConfig } from '../../spec/docker/types.gen.ts';
import { invalid } from './errors.ts';

/** Drivers of this engine. `none` keeps nothing. */
export const LOG_DRIVERS: readonly string[] = ['json-file', 'none'];

const KNOWN = new Set([
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
]);
/** On by default, so that a chatty container cannot fill the disk: 5 files of 20 MiB, as Docker's `local` driver keeps. */
const DEFAULT_MAX_SIZE_BYTES = 20 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;
/** @source dockerd 28.5: start with a bad value */
const INITIALIZE = 'failed to create task for container: failed to initialize logging driver';
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

export interface JsonFileOptions {
  /** 0 = never rotate (`max-size=-1`). */
  readonly maxSizeBytes: number;
  /** At least 1. */
  readonly maxFiles: number;
  readonly compress: boolean;
}

/** @throws GantryError when driver or option names are unknown; Docker checks these at create */
export function checkLogConfig(driver: string, options: Readonly<Record<string, string>>): void {
  if (!LOG_DRIVERS.includes(driver)) {
    throw invalid('UNKNOWN_LOG_DRIVER', `error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  }
  if (driver === 'none') return;
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    throw invalid('UNKNOWN_LOG_OPTION', `unknown log opt '${unknown}' for ${driver} log driver`);
}

/** @throws GantryError when the daemon's own options are none of its driver; an unknown driver fails the containers that want it. @source dockerd 28.5 */
export function checkDefaultLogOptions(driver: string, options: Readonly<Record<string, string>>): void {
  if (!LOG_DRIVERS.includes(driver)) return;
  try {
    checkLogConfig(driver, options);
  } catch (error) {
    throw invalid('UNKNOWN_LOG_OPTION', `failed to set log opts: ${messageOf(error)}`);
  }
}

/** @throws GantryError for values that cannot be read; Docker checks these at start */
export function parseJsonFileOptions(options: Readonly<Record<string, string>>): JsonFileOptions {
  const fail = (why: string) => invalid('LOG_OPTION_VALUE', `${INITIALIZE}: ${why}`);
  const maxFiles = options['max-file'] === undefined ? DEFAULT_MAX_FILES : Number(options['max-file']);
  if (!Number.isInteger(maxFiles)) throw fail(`strconv.Atoi: parsing "${options['max-file']}": invalid syntax`);
  if (maxFiles < 1) throw fail('max-file cannot be less than 1');
  const compress = options.compress ?? 'false';
  if (!/^(true|false|0|1|t|f)$/i.test(compress)) throw fail(`strconv.ParseBool: parsing "${compress}": invalid syntax`);
  const maxSizeBytes = maxSize(options['max-size'], fail);
  const compresses = /^(true|1|t)$/i.test(compress);
  if (compresses && (maxFiles < 2 || maxSizeBytes === 0))
    throw fail('compress cannot be true when max-file is less than 2 or max-size is not set');
  return { maxSizeBytes, maxFiles, compress: compresses };
}

function maxSize(text: string | undefined, fail: (why: string) => Error): number {
  if (text === undefined) return DEFAULT_MAX_SIZE_BYTES;
  if (text === '-1') return 0;
  const match = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text);
  const bytes = Math.floor(Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ''] ?? 1));
  if (!match) throw fail(`invalid size: '${text}'`);
  if (bytes <= 0) throw fail('max-size must be a positive number');
  return bytes;
}

/** What each line carries besides: chosen labels, variables and the tag; undefined when nothing is chosen. */
export function logAttributes(
  options: Readonly<Record<string, string>>,
  container: {
    readonly id: string;
    readonly name: string;
    readonly imageName: string;
    readonly config: ContainerConfig;
  },
): Readonly<Record<string, string>> | undefined {
  const attrs: Record<string, string> = {};
  const pick = (
    facts: Readonly<Record<string, string>>,
    list: string | undefined,
    pattern: string | undefined,
  ): void => {
    for (const name of (list ?? '').split(',')) if (Object.hasOwn(facts, name)) attrs[name] = facts[name] ?? '';
    if (!pattern) return;
    for (const name of namesMatching(pattern, Object.keys(facts))) attrs[name] = facts[name] ?? '';
  };
  pick(container.config.Labels ?? {}, options.labels, options['labels-regex']);
  pick(variables(container.config.Env ?? []), options.env, options['env-regex']);
  if (options.tag) attrs.tag = tagText(options.tag, container);
  return Object.keys(attrs).length > 0 ? attrs : undefined;
}

function namesMatching(pattern: string, names: readonly string[]): Iterable<string> {
  try {
    return textsMatching(pattern, names);
  } catch (error) {
    throw invalid('LOG_OPTION_VALUE', `${INITIALIZE}: error parsing regexp: ${String(error)}`);
  }
}

function variables(env: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
}

/** The template words that log tags use; others stay as they are. */
function tagText(
  template: string,
  container: { readonly id: string; readonly name: string; readonly imageName: string },
): string {
  const words: Readonly<Record<string, string>> = {
    ID: shortId(container.id),
    FullID: container.id,
    Name: container.name,
    ImageName: container.imageName,
    DaemonName: 'docker',
  };
  return template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, word: string) => words[word] ?? whole);
}
