// Owns the daemon's configuration: flags and daemon.json merged and checked. What it cannot do it says in one line.

import { GantryError, messageOf } from '../lib/errors.ts';
import { checkConfig, checkConflictingLabels } from './config-checks.ts';
import { checkMirror, checkRegistry } from './option-checks.ts';
import type { AddressPool, RuntimeOption, Ulimit } from './option-kinds.ts';
import { KINDS } from './option-kinds.ts';
import { OPTIONS, type Option } from './options.table.ts';
import { type ConfigFile, type FileEntry, readConfigFile, readEntry } from './read-file.ts';
import { readFlags } from './read-flags.ts';
import { showFlag, showJson } from './show-value.ts';
import { type TlsGiven, type TlsOptions, tlsOptions } from './tls.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** All settings of the daemon. Paths are absolute or relative to the working directory. */
export interface DaemonConfig {
  readonly hosts: readonly string[];
  readonly tls: TlsOptions;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidfile: string;
  readonly logLevel: LogLevel;
  /** As the level debug, whatever logLevel says. */
  readonly debug: boolean;
  readonly logFormat: 'text' | 'json';
  readonly group: string;
  readonly experimental: boolean;
  readonly features: Readonly<Record<string, boolean>>;
  readonly labels: readonly string[];
  /** Oldest API version that is answered; '' = the oldest that is known. */
  readonly minApiVersion: string;
  readonly liveRestore: boolean;
  readonly shutdownTimeoutSeconds: number;

  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, RuntimeOption>>;
  readonly cgroupParent: string;
  readonly cgroupnsMode: string;
  readonly ipcMode: string;
  readonly shmSizeBytes: number;
  readonly stopTimeoutSeconds: number;
  readonly ulimits: Readonly<Record<string, Ulimit>>;
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly hostGatewayIps: readonly string[];
  readonly init: boolean;
  readonly initPath: string;
  readonly logDriver: string;
  readonly logOpts: Readonly<Record<string, string>>;
  readonly recover: boolean;
  readonly noNewPrivileges: boolean;
  readonly seccompProfile: string;

  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  readonly maxDownloadAttempts: number;
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;

  readonly bridge: string;
  readonly bip: string;
  readonly addressPools: readonly AddressPool[];
  readonly mtu: number;
  readonly icc: boolean;
  readonly hostIp: string;
  readonly ipForward: boolean;
  readonly ipMasq: boolean;
  readonly iptables: boolean;
  readonly userlandProxy: boolean;
}

/** A configuration, and what its user should know. */
export interface Configured {
  readonly config: DaemonConfig;
  /** Sentences about what was given and does nothing. */
  readonly warnings: readonly string[];
  /** The options that flags or the file say something about. */
  readonly given: ReadonlySet<Option>;
  /** The file to read again at SIGHUP. */
  readonly file: string;
}

/** What the command line asks for. */
export type Command = ({ readonly kind: 'run' } & Configured) | { readonly kind: 'validate' | 'help' | 'version' };

/**
 * Reads the command line and the configuration file.
 * @throws GantryError (invalid) whose message is one clear line
 */
export function readCommand(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const flags = inOneLine(() => readFlags(argv));
  const given = (name: string): unknown => flags.get(optionOf(name));
  if (given('help') === true) return { kind: 'help' };
  if (given('version') === true) return { kind: 'version' };
  const configured = inOneLine(() => configure(flags, env));
  return given('validate') === true ? { kind: 'validate' } : { kind: 'run', ...configured };
}

/** Reads the file of `argv` again. @throws GantryError (invalid) as readCommand */
export function readAgain(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Configured {
  return inOneLine(() => configure(readFlags(argv), env));
}

function inOneLine<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof GantryError
      ? error
      : new GantryError('invalid', 'CONFIG', messageOf(error), { cause: error });
  }
}

function optionOf(name: string): Option {
  const option = OPTIONS.find(({ flag }) => flag === name);
  if (option === undefined) throw new Error(`unknown option ${name}`);
  return option;
}

function configure(flags: ReadonlyMap<Option, unknown>, env: NodeJS.ProcessEnv): Configured {
  const wanted = flags.get(optionOf('config-file')) as string | undefined;
  const path = wanted || String(optionOf('config-file').fallback);
  const inFile = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw new Error(`unable to configure the daemon with file ${path}: ${messageOf(error)}`);
    }
  };
  const file = inFile(() => readConfigFile(path, wanted !== undefined));
  const values = inFile(() => merge(flags, file));
  const { config, tls } = build(values, env);
  const checked = () => checkConfig(config, values);
  if (file === undefined) checked();
  else inFile(() => inMerged(checked));
  checkConflictingLabels(config.labels);
  const warnings = [
    ...(file?.unread ?? []).map(({ key, instead }) => `"${key}" in ${path} does nothing: ${instead}`),
    ...treat(values),
  ];
  return {
    config: {
      ...config,
      registryMirrors: config.registryMirrors.map(checkMirror),
      insecureRegistries: config.insecureRegistries.map(checkRegistry),
      tls: tlsOptions(tls, config.hosts, env),
    },
    warnings,
    given: new Set(values.keys()),
    file: path,
  };
}

function inMerged(act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new Error(`merged configuration validation from file and command line flags failed: ${messageOf(error)}`);
  }
}

/** What is given, whether as a flag or in the file. @throws Error when a name is in both */
function merge(flags: ReadonlyMap<Option, unknown>, file: ConfigFile | undefined): ReadonlyMap<Option, unknown> {
  const entries = file?.entries ?? [];
  const flagsOnly = (file?.unread ?? []).filter(({ option }) => option.key === undefined);
  const twice = [...entries, ...flagsOnly].filter(({ option }) => flags.has(option) && option.kind !== 'runtimes');
  if (twice.length > 0) {
    const texts = twice.toSorted(byFlag).map(({ option, key, raw }) => {
      const value = showFlag(option.kind, flags.get(option));
      return `${key}: (from flag: ${value}, from file: ${showJson(raw)})`;
    });
    throw new Error(
      `the following directives are specified both as a flag and in the configuration file: ${texts.join(', ')}`,
    );
  }
  const values = new Map<Option, unknown>(flags);
  for (const entry of entries) {
    const value = readEntry(entry);
    if (value === undefined) continue;
    const before = entry.option.kind === 'runtimes' ? (flags.get(entry.option) as object | undefined) : undefined;
    values.set(entry.option, before === undefined ? value : { ...(value as object), ...before });
  }
  return values;
}

function byFlag(one: FileEntry, other: FileEntry): number {
  return (one.option.flag ?? '') < (other.option.flag ?? '') ? -1 : 1;
}

interface Built {
  readonly config: Omit<DaemonConfig, 'tls'>;
  readonly tls: TlsGiven;
}

function build(values: ReadonlyMap<Option, unknown>, env: NodeJS.ProcessEnv): Built {
  const fields = OPTIONS.flatMap((option) =>
    option.field === undefined ? [] : [[option.field, values.get(option) ?? option.fallback]],
  );
  const config = Object.fromEntries(fields) as Omit<DaemonConfig, 'tls'>;
  const value = (name: string): unknown => values.get(optionOf(name));
  const { execRoot, hosts, pidfile, logFormat } = config;
  const socket = `unix://${execRoot}/gantry.sock`;
  return {
    config: {
      ...config,
      logLevel: levelOf(config.logLevel),
      logFormat: logFormat || 'text',
      hosts: (hosts.length > 0 ? hosts : ['']).map((host) => (/^\s*(unix:\/\/)?$/.test(host) ? socket : host.trim())),
      minApiVersion: config.minApiVersion || env.DOCKER_MIN_API_VERSION || '',
      pidfile: pidfile || `${execRoot}/gantryd.pid`,
      // 0 stands for the default. @source dockerd 28.5
      maxConcurrentDownloads: config.maxConcurrentDownloads || 3,
      maxConcurrentUploads: config.maxConcurrentUploads || 5,
      maxDownloadAttempts: config.maxDownloadAttempts || 5,
      mtu: config.mtu || 1500,
    },
    tls: {
      tls: value('tls') as boolean | undefined,
      verify: value('tlsverify') as boolean | undefined,
      ca: value('tlscacert') as string | undefined,
      cert: value('tlscert') as string | undefined,
      key: value('tlskey') as string | undefined,
    },
  };
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  '': 'info',
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
};

function levelOf(text: string): LogLevel {
  return LEVELS[text.toLowerCase()] ?? (text as LogLevel);
}

/** Refuses what cannot be, and names what does nothing. */
function treat(values: ReadonlyMap<Option, unknown>): readonly string[] {
  const warnings: string[] = [];
  for (const [option, value] of values) {
    const { treatment, key, flag } = option;
    if (treatment.kind === 'honoured') continue;
    const isSo = treatment.soAnyway?.some((item) => JSON.stringify(item) === JSON.stringify(value)) ?? false;
    if (isSo) continue;
    const name = key ?? flag;
    if (treatment.kind === 'refused') throw new Error(`"${name}" is not supported: ${treatment.why}`);
    warnings.push(`"${name}" does nothing: ${treatment.why}`);
  }
  return warnings;
}

/** The text of --help. */
export function usage(): string {
  const lines = OPTIONS.flatMap(({ flag, short, kind, help, treatment }) => {
    if (flag === undefined || treatment.kind === 'refused') return [];
    const word = KINDS[kind].word;
    const name = `${short ? `-${short}, ` : '    '}--${flag}${word && ` ${word}`}`;
    return [`  ${name.padEnd(38)}${treatment.kind === 'noEffect' ? `${help} (does nothing: ${treatment.why})` : help}`];
  });
  return `Usage:  gantryd [OPTIONS]\n\nA container engine that speaks Docker's Engine API.\n\nOptions:\n${lines.join('\n')}\n`;
}
