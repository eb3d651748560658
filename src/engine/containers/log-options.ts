// Owns the options of the json-file log driver: which exist, what they mean, the attributes they add. Pure.

import { messageOf } from '../../lib/errors.ts';
import { textsMatching } from '../../lib/pattern.ts';
import type { ContainerConfig } from '../../spec/docker/types.gen.ts';
import { failure, invalid } from './errors.ts';
import { checkTag, type TagFacts, tagText } from './log-tag.ts';

/** Drivers of this engine. `none` keeps nothing. */
export const LOG_DRIVERS: readonly string[] = ['json-file', 'none'];

/** Of Docker's copy of what other drivers cannot read; json-file has no use for it, there and here. */
const CACHE = ['cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress'];
const KNOWN = new Set([
  ...['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
  ...['mode', 'max-buffer-size', ...CACHE],
]);
/** On by default, so that a chatty container cannot fill the disk: 5 files of 20 MiB, as Docker's `local` driver keeps. */
const DEFAULT_MAX_SIZE_BYTES = 20 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;
/** @source dockerd 28.5: start with a bad value */
const INITIALIZE = 'failed to create task for container: failed to initialize logging driver';
const BOOLEAN = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/;
const TRUE = /^(?:1|t)/i;

type Options = Readonly<Record<string, string>>;

export interface JsonFileOptions {
  readonly maxSizeBytes: number;
  /** At least 1. */
  readonly maxFiles: number;
  readonly compress: boolean;
}

/**
 * Docker finds bad values out at the start only.
 * @returns warnings @throws GantryError for an unknown driver, unknown options and values that cannot be read
 */
export function checkLogConfig(driver: string, options: Options): readonly string[] {
  if (!LOG_DRIVERS.includes(driver)) {
    throw invalid('UNKNOWN_LOG_DRIVER', `error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  }
  if (driver === 'none') return [];
  const warnings = checkMode(options);
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    throw invalid('UNKNOWN_LOG_OPTION', `unknown log opt '${unknown}' for ${driver} log driver`);
  const disabled = options['cache-disabled'];
  if (disabled !== undefined && !BOOLEAN.test(disabled))
    throw invalid('LOG_OPTION_VALUE', `invalid value for option cache-disabled: ${disabled}`);
  parseJsonFileOptions(options);
  if (options.tag) checkTag(options.tag);
  for (const pattern of [options['labels-regex'], options['env-regex']]) if (pattern) namesMatching(pattern, []);
  return warnings;
}

function checkMode({ mode = '', 'max-buffer-size': buffer }: Options): readonly string[] {
  if (!['', 'blocking', 'non-blocking'].includes(mode))
    throw invalid('LOG_MODE', `logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== 'non-blocking')
      throw invalid('LOG_MODE', "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    readSize(buffer, 1024, (why) => invalid('LOG_MODE', `error parsing option max-buffer-size: ${why}`));
  }
  return mode === 'non-blocking'
    ? ['The log mode non-blocking is not supported by this engine yet: output waits while the log cannot be written.']
    : [];
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

/** @throws GantryError for values that cannot be read */
export function parseJsonFileOptions(options: Options): JsonFileOptions {
  const fail = (why: string) => failure('LOG_OPTION_VALUE', `${INITIALIZE}: ${why}`);
  const maxFiles = readCount(options['max-file'], fail);
  const compress = options.compress ?? 'false';
  if (!BOOLEAN.test(compress)) throw fail(`strconv.ParseBool: parsing "${compress}": invalid syntax`);
  const maxSizeBytes = readMaxSize(options['max-size'], fail);
  const compresses = TRUE.test(compress);
  if (compresses && maxFiles < 2)
    throw fail('compress cannot be true when max-file is less than 2 or max-size is not set');
  return { maxSizeBytes, maxFiles, compress: compresses };
}

type Fail = (why: string) => Error;

function readCount(text: string | undefined, fail: Fail): number {
  if (text === undefined) return DEFAULT_MAX_FILES;
  if (!/^[+-]?\d+$/.test(text)) throw fail(`strconv.Atoi: parsing "${text}": invalid syntax`);
  const count = Number(text);
  if (!Number.isSafeInteger(count)) throw fail(`strconv.Atoi: parsing "${text}": value out of range`);
  if (count < 1) throw fail('max-file cannot be less than 1');
  return count;
}

function readMaxSize(text: string | undefined, fail: Fail): number {
  if (text === undefined) return DEFAULT_MAX_SIZE_BYTES;
  const bytes = readSize(text, 1000, fail);
  // What is too much for 64 bits is negative there.
  if (bytes <= 0 || bytes >= 2 ** 63) throw fail('max-size must be a positive number');
  return bytes;
}

const POWERS = ['', 'k', 'm', 'g', 't', 'p'];

/** `1.5m`, `10 KiB`; a step is 1000 or 1024, whatever the unit says. @source docker/go-units v0.5 FromHumanSize, RAMInBytes */
function readSize(text: string, step: 1000 | 1024, fail: Fail): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  if (!match) throw fail(`invalid size: '${text}'`);
  const [, number = '', suffix = ''] = match;
  const [, unit = '', rest = ''] = /^([kmgtp]?)(.*)$/.exec(suffix.toLowerCase()) ?? [];
  if (!['', 'b', 'ib'].includes(rest) || (unit === '' && rest === 'ib')) throw fail(`invalid suffix: '${suffix}'`);
  return Math.floor(Number(number) * step ** POWERS.indexOf(unit));
}

/** What each line carries besides: chosen labels, variables and the tag; undefined when nothing is chosen. */
export function logAttributes(
  options: Options,
  container: TagFacts & { readonly config: ContainerConfig },
): Readonly<Record<string, string>> | undefined {
  const attrs: Record<string, string> = {};
  const pick = (facts: Options, list: string | undefined, pattern: string | undefined): void => {
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

function variables(env: readonly string[]): Options {
  return Object.fromEntries(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
}
