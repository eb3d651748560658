// Owns the daemon's configuration: dockerd's flag names, the daemon.json file, defaults, and their checks. Starts nothing.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { GantryError, messageOf } from '../lib/errors.ts';
import { type Kind, OPTIONS, type Option } from './options.table.ts';

/** One OCI runtime added by name. */
export interface RuntimeOption {
  readonly path: string;
  readonly args: readonly string[];
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Everything the daemon can be told. Paths are absolute or relative to the working directory. */
export interface DaemonConfig {
  readonly hosts: readonly string[];
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidfile: string;
  readonly logLevel: LogLevel;
  readonly group: string;
  readonly bridge: string;
  readonly bip: string;
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, RuntimeOption>>;
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly userlandProxy: boolean;
  readonly logDriver: string;
  readonly logOpts: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly recover: boolean;
  readonly maxConcurrentDownloads: number;
}

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly config: DaemonConfig }
  | { readonly kind: 'validate' | 'help' | 'version' };

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'];

/**
 * Reads the command line and the configuration file.
 * @throws GantryError (invalid) whose message is one clear line
 */
export function readCommand(argv: readonly string[]): Command {
  const flags = readFlags(argv);
  if (flags.has('help')) return { kind: 'help' };
  if (flags.has('version')) return { kind: 'version' };
  const path = flags.get('config-file') as string | undefined;
  const file = readFile(path ?? '/etc/gantry/daemon.json', path !== undefined);
  const twice = OPTIONS.find(
    ({ flag, key, kind }) => key && kind !== 'list' && kind !== 'map' && flags.has(flag) && file.has(flag),
  );
  const hostsTwice = flags.has('host') && file.has('host');
  if (twice || hostsTwice) {
    const { flag, key } = twice ?? { flag: 'host', key: 'hosts' };
    throw fail(
      `the following directives are specified both as a flag and in the configuration file: ${key}: (from flag: ${show(flags.get(flag))}, from file: ${show(file.get(flag))})`,
    );
  }
  const config = complete(flags, file);
  return flags.has('validate') ? { kind: 'validate' } : { kind: 'run', config };
}

/** The text of --help. */
export function usage(): string {
  const lines = OPTIONS.map(({ flag, short, kind, help }) => {
    const name = `${short ? `-${short}, ` : '    '}--${flag}${kind === 'bool' ? '' : ` ${kind}`}`;
    return `  ${name.padEnd(38)}${help}`;
  });
  return `Usage:  gantryd [OPTIONS]\n\nA container engine that speaks Docker's Engine API.\n\nOptions:\n${lines.join('\n')}\n`;
}

type Values = Map<string, unknown>;

function readFlags(argv: readonly string[]): Values {
  const options = Object.fromEntries(
    OPTIONS.map(({ flag, short, kind }) => [
      flag,
      { type: kind === 'bool' ? 'boolean' : 'string', ...(short && { short }) } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const values: Values = new Map();
  for (const token of tokens) {
    if (token.kind === 'positional') throw fail(`"gantryd" accepts no arguments: ${token.value}`);
    if (token.kind !== 'option') continue;
    const option = OPTIONS.find(({ flag }) => flag === token.name);
    if (!option) {
      const dashed = token.rawName.startsWith('--');
      throw fail(
        dashed ? `unknown flag: ${token.rawName}` : `unknown shorthand flag: '${token.name}' in ${token.rawName}`,
      );
    }
    put(values, option, token.value, token.rawName);
  }
  return values;
}

function put(values: Values, option: Option, text: string | undefined, rawName: string): void {
  const { flag, kind } = option;
  if (kind === 'bool') {
    values.set(flag, text === undefined ? true : parseBool(text, rawName));
    return;
  }
  if (text === undefined) throw fail(`flag needs an argument: ${rawName}`);
  const bad = (why: string) => fail(`invalid argument "${text}" for "${rawName}" flag: ${why}`);
  switch (kind) {
    case 'string':
      values.set(flag, text);
      break;
    case 'number':
      if (!/^\d+$/.test(text)) throw bad(`strconv.ParseInt: parsing "${text}": invalid syntax`);
      values.set(flag, Number(text));
      break;
    case 'list':
      values.set(flag, [...((values.get(flag) as string[] | undefined) ?? []), text]);
      break;
    case 'pool':
      values.set(flag, [...((values.get(flag) as unknown[] | undefined) ?? []), parsePool(text, bad)]);
      break;
    case 'map':
    case 'runtime': {
      const at = text.indexOf('=');
      if (at < 1) throw bad(kind === 'map' ? 'must be name=value' : 'invalid runtime format (name=path)');
      const value = text.slice(at + 1);
      const entry = kind === 'map' ? value : { path: value, args: [] };
      values.set(flag, { ...(values.get(flag) as object | undefined), [text.slice(0, at)]: entry });
    }
  }
}

function parseBool(text: string, rawName: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw fail(`invalid argument "${text}" for "${rawName}" flag: strconv.ParseBool: parsing "${text}": invalid syntax`);
}

function parsePool(text: string, bad: (why: string) => Error): { base: string; size: number } {
  const parts = new Map(text.split(',').map((part) => [part.split('=', 1)[0], part.slice(part.indexOf('=') + 1)]));
  const size = Number(parts.get('size'));
  const base = parts.get('base');
  if (!base || !Number.isInteger(size) || parts.size !== 2) throw bad('must be base=CIDR,size=N');
  return { base, size };
}

function readFile(path: string, wanted: boolean): Values {
  const broken = (why: string) => fail(`unable to configure the daemon with file ${path}: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!wanted && (error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw broken(messageOf(error));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw broken('it holds no JSON object');
  const unknown = Object.keys(parsed).filter((key) => !OPTIONS.some((option) => option.key === key));
  if (unknown.length > 0)
    throw broken(`the following directives don't match any configuration option: ${unknown.join(', ')}`);
  return new Map(
    Object.entries(parsed).map(([key, value]) => {
      const option = OPTIONS.find((candidate) => candidate.key === key);
      if (!option) throw broken(`unknown directive ${key}`);
      return [option.flag, checkedValue(option, value, broken)];
    }),
  );
}

function checkedValue(option: Option, value: unknown, broken: (why: string) => Error): unknown {
  const wrong = () => broken(`the value of ${option.key} must be ${WANTED[option.kind]}`);
  const isText = (item: unknown): item is string => typeof item === 'string';
  switch (option.kind) {
    case 'string':
      if (!isText(value)) throw wrong();
      return value;
    case 'bool':
      if (typeof value !== 'boolean') throw wrong();
      return value;
    case 'number':
      if (!Number.isInteger(value)) throw wrong();
      return value;
    case 'list':
      if (!Array.isArray(value) || !value.every(isText)) throw wrong();
      return value;
    case 'map':
      if (!isRecord(value) || !Object.values(value).every(isText)) throw wrong();
      return value;
    case 'pool':
      if (
        !Array.isArray(value) ||
        !value.every((pool) => isRecord(pool) && isText(pool.base) && Number.isInteger(pool.size))
      ) {
        throw wrong();
      }
      return value;
    case 'runtime':
      if (!isRecord(value)) throw wrong();
      return Object.fromEntries(Object.entries(value).map(([name, runtime]) => [name, runtimeOf(runtime, wrong)]));
  }
}

const WANTED: Readonly<Record<Kind, string>> = {
  string: 'a string',
  bool: 'true or false',
  number: 'a whole number',
  list: 'a list of strings',
  map: 'an object of strings',
  pool: 'a list of {"base": CIDR, "size": number}',
  runtime: 'an object of {"path": string, "runtimeArgs": [string]}',
};

function runtimeOf(value: unknown, wrong: () => Error): RuntimeOption {
  if (!isRecord(value) || typeof value.path !== 'string') throw wrong();
  const args = value.runtimeArgs ?? [];
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) throw wrong();
  return { path: value.path, args };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function complete(flags: Values, file: Values): DaemonConfig {
  const value = (flag: string, fallback: unknown): unknown => {
    const [own, filed] = [flags.get(flag), file.get(flag)];
    if (Array.isArray(own) && Array.isArray(filed)) return [...filed, ...own];
    if (isRecord(own) && isRecord(filed)) return { ...filed, ...own };
    return own ?? filed ?? fallback;
  };
  const fields = OPTIONS.flatMap(({ flag, field, fallback }) => (field ? [[field, value(flag, fallback)]] : []));
  const config = Object.fromEntries(fields) as DaemonConfig;
  const logLevel = value('debug', false) === true ? 'debug' : config.logLevel;
  if (!LEVELS.includes(logLevel)) throw fail(`invalid logging level: ${logLevel}`);
  if (value('live-restore', true) === false) {
    throw fail('live-restore cannot be turned off: containers of this engine always outlive the daemon');
  }
  const { hosts, execRoot, pidfile } = config;
  for (const host of hosts) checkHost(host);
  return {
    ...config,
    logLevel,
    hosts: hosts.length > 0 ? hosts : [`unix://${execRoot}/gantry.sock`],
    pidfile: pidfile || `${execRoot}/gantryd.pid`,
  };
}

function checkHost(host: string): void {
  if (/^unix:\/\/\/.+/.test(host)) return;
  if (/^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/\s]*):\d+\/?$/.test(host)) return;
  throw fail(`invalid bind address format: ${host} (use unix:///path or tcp://address:port)`);
}

function show(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(' ')}]` : String(value);
}

function fail(message: string): GantryError {
  return new GantryError('invalid', 'CONFIG', message);
}
