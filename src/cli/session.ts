// Owns what every command gets: streams, environment, config and the client, the last two made on first use.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type CallObserver, type Client, createClient, type TransportOptions } from '../client/index.ts';
import { GantryError } from '../lib/errors.ts';
import { type ConfigFile, readConfigFile } from './config/file.ts';
import { type ChosenHost, chooseHost, type Environment, UNRESOLVED } from './config/host.ts';
import { CommandFailure } from './failure.ts';
import type { FlagChecks, Flags } from './grammar/flags.ts';
import type { CommandSpec } from './grammar/types.ts';
import { bytesOf, hasStrayBytes } from './template/go/text.ts';

/** Input, perhaps a terminal. */
export interface InputStream extends Readable {
  isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
  unref?(): unknown;
}

/** Output, perhaps a terminal. */
export interface OutputStream extends Writable {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** The three standard streams. */
export interface Stdio {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** What a running command sees of the world. */
export interface Session extends Disposable {
  readonly stdio: Stdio;
  readonly env: Environment;
  readonly cwd: string;
  readonly globals: Flags;
  /** Milliseconds since 1970; tests fix it. */
  now(): number;
  config(): ConfigFile;
  chosenHost(): ChosenHost;
  client(): Client;
  /** Writes to stdout as it is. */
  out(text: string): void;
  /** Writes a line to stdout. */
  line(text: string): void;
  /** Writes a line to stderr. */
  warn(text: string): void;
}

/** A command line, read. */
export interface Invocation {
  /** The command as it was called, e.g. `ps` or `container ls`. */
  readonly path: string;
  readonly flags: Flags;
  readonly args: readonly string[];
}

/** One command: its grammar and what it does. `run` resolves with the exit code. */
export interface Command {
  readonly spec: CommandSpec;
  readonly checks?: FlagChecks;
  run(session: Session, invocation: Invocation): Promise<number>;
}

/** A session over real streams. */
export function createSession(options: {
  readonly stdio: Stdio;
  readonly env: Environment;
  readonly globals: Flags;
  readonly now?: (() => number) | undefined;
  /** Watches the calls to the daemon. */
  readonly observer?: CallObserver | undefined;
}): Session {
  const { stdio, env, globals } = options;
  let config: ConfigFile | undefined;
  let chosen: ChosenHost | undefined;
  let client: Client | undefined;
  const session: Session = {
    stdio,
    env,
    cwd: process.cwd(),
    globals,
    now: options.now ?? Date.now,
    config: () => {
      config ??= readConfigFile(configFolder(globals, env));
      return config;
    },
    chosenHost: () => {
      chosen ??= chooseHost(globals, env, session.config());
      return chosen;
    },
    client: () => {
      client ??= openClient({
        host: session.chosenHost().host,
        tls: session.chosenHost().tls,
        apiVersion: env.DOCKER_API_VERSION?.replace(/^v/, '') || undefined,
        headers: session.config().data.HttpHeaders,
        observer: options.observer,
      });
      return client;
    },
    out: (text) => {
      stdio.stdout.write(hasStrayBytes(text) ? bytesOf(text) : text);
    },
    line: (text) => session.out(`${text}\n`),
    warn: (text) => {
      stdio.stderr.write(`${text}\n`);
    },
    [Symbol.dispose]: () => client?.close(),
  };
  return session;
}

function openClient(options: TransportOptions): Client {
  try {
    return createClient(options);
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw new CommandFailure(1, `${UNRESOLVED}: ${error.message}`, error.hint);
  }
}

function configFolder(globals: Flags, env: Environment): string {
  if (globals.changed('config')) return globals.text('config');
  return env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
}
