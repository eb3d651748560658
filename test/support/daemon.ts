// Owns throwaway daemons for tests: roots, bridge and addresses of their own, so that any number run side by side; their
// crashes and restarts; and that nothing of them is left. Knows what a daemon's user knows, nothing of its inside.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bridgeName, freeSubnets } from './addresses.ts';
import { type RunOptions, run, type Said } from './commands.ts';
import { leftSince, traces } from './leaks.ts';
import { eventually } from './patience.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface DaemonOptions {
  /** Further flags of gantryd. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of one's own, e.g. on a small disk; it is the caller's to remove. */
  readonly dataRoot?: string;
  /** Another gantryd than this checkout's. */
  readonly program?: string;
  /** True: it is made to fail by a bug. */
  readonly hasBug?: boolean;
  /** True: the caller starts it. */
  readonly stopped?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, parsed. @throws SyntaxError when it is not JSON */
  json<T = Record<string, unknown>>(): T;
}

export interface Daemon extends AsyncDisposable {
  readonly root: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly socket: string;
  /** `unix://…` */
  readonly host: string;
  readonly bridge: string;
  /** The gantryd that the next start runs. */
  program: string;
  /** Pid of the running process; 0 when it does not run. */
  readonly pid: number;
  /** Starts it and waits until it answers. @throws Error with its log when it ends instead */
  start(): Promise<void>;
  /** SIGTERM; resolves with its exit code when it is gone. Containers stay. */
  stop(): Promise<number>;
  /** SIGKILL; resolves when it is gone. Containers stay. */
  kill9(): Promise<void>;
  restart(): Promise<void>;
  /** Ends a daemon that can neither remove its containers nor start again, with its containers. @throws Error when something is left */
  discard(): Promise<void>;
  /** What it printed so far, over all its starts. */
  log(): string;
  /** One request to the Engine API; `path` with or without version. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Runs the real Docker CLI on this daemon. */
  docker(...args: readonly (string | RunOptions)[]): Promise<Said>;
  /** Runs our CLI on this daemon. */
  gantry(...args: readonly (string | RunOptions)[]): Promise<Said>;
  /** Loads a docker-archive or OCI layout tar. */
  load(archive: string): Promise<void>;
}

/** One request over a UNIX socket. */
export function apiCall(socketPath: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isBytes = body instanceof Uint8Array;
    const payload = body === undefined || isBytes ? body : Buffer.from(JSON.stringify(body));
    const headers = payload === undefined ? {} : { 'content-type': isBytes ? 'application/x-tar' : 'application/json' };
    const sent = request({ socketPath, method, path, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** The cgroups of an engine outlive it; a daemon that was killed for good leaves them to us. */
function removeEmptyCgroups(name: string): void {
  const root = '/sys/fs/cgroup';
  for (const folder of [root, ...readdirSync(root).map((controller) => join(root, controller))]) {
    const path = join(folder, name);
    if (existsSync(path)) rmdirSync(path);
  }
}

class ThrowawayDaemon implements Daemon {
  readonly root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-`));
  readonly execRoot = join(this.root, 'run');
  readonly socket = join(this.root, 'run', 'gantry.sock');
  readonly host = `unix://${this.socket}`;
  readonly bridge = bridgeName();
  readonly dataRoot: string;
  program: string;
  readonly #subnets = freeSubnets();
  readonly #options: DaemonOptions;
  readonly #logFile = join(this.root, 'gantryd.log');
  readonly #before = traces();
  #logClosed: Promise<unknown> = Promise.resolve();
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.dataRoot = options.dataRoot ?? join(this.root, 'data');
    this.program = options.program ?? join(ROOT, 'bin', 'gantryd');
  }

  get pid(): number {
    return this.#child === undefined || hasEnded(this.#child) ? 0 : (this.#child.pid ?? 0);
  }

  async start(): Promise<void> {
    const { bip, pool } = this.#subnets;
    const flags = ['--host', this.host, '--data-root', this.dataRoot, '--exec-root', this.execRoot];
    const more = ['--pidfile', join(this.root, 'gantryd.pid'), '--bridge', this.bridge, '--bip', bip];
    const args = [...flags, ...more, '--default-address-pool', `base=${pool},size=24`, ...(this.#options.args ?? [])];
    const child = spawn(this.program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...this.#options.env },
    });
    this.#child = child;
    const log = createWriteStream(this.#logFile, { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.on('close', () => log.end());
    this.#logClosed = once(log, 'close');
    child.on('error', () => {});
    await eventually(`a daemon that answers on ${this.socket}`, async () => {
      if (hasEnded(child)) throw new Error(`gantryd ended with ${child.exitCode ?? child.signalCode}:\n${this.log()}`);
      return (await apiCall(this.socket, 'GET', '/_ping').catch(() => undefined))?.status === 200;
    });
  }

  async #end(signal: NodeJS.Signals): Promise<number> {
    const child = this.#child;
    if (child === undefined) return 0;
    if (!hasEnded(child)) {
      child.kill(signal);
      await eventually(`the end of gantryd after ${signal}`, () => hasEnded(child));
    }
    return child.exitCode ?? 128 + 9;
  }

  stop = (): Promise<number> => this.#end('SIGTERM');

  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  log(): string {
    try {
      return readFileSync(this.#logFile, 'utf8');
    } catch {
      return '';
    }
  }

  api(method: string, path: string, body?: unknown): Promise<Answer> {
    return apiCall(this.socket, method, path, body);
  }

  #cli(program: string, args: readonly (string | RunOptions)[]): Promise<Said> {
    const options = args.find((arg) => typeof arg !== 'string');
    const words = args.filter((arg) => typeof arg === 'string');
    const config = join(this.root, 'config');
    const env = { DOCKER_HOST: this.host, DOCKER_CONFIG: config, NODE_TEST_CONTEXT: undefined, ...options?.env };
    return run(program, words, { ...options, env });
  }

  docker = (...args: readonly (string | RunOptions)[]): Promise<Said> => this.#cli('docker', args);

  gantry = (...args: readonly (string | RunOptions)[]): Promise<Said> => this.#cli(join(ROOT, 'bin', 'gantry'), args);

  async load(archive: string): Promise<void> {
    const answer = await this.api('POST', '/images/load?quiet=1', readFileSync(archive));
    if (answer.status !== 200 || answer.text.includes('"error"'))
      throw new Error(`load: ${answer.status} ${answer.text}`);
  }

  async #removeContainers(): Promise<void> {
    if (this.pid === 0) await this.start();
    const all = (await this.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>();
    await Promise.all(all.map(({ Id }) => this.api('DELETE', `/containers/${Id}?force=1&v=1`)));
  }

  /** The bridge and its rules outlive a daemon on purpose: its containers run on. Without containers they are for us to take. */
  async #removeNetwork(): Promise<void> {
    if (existsSync(`/sys/class/net/${this.bridge}`)) await run('ip', ['link', 'delete', this.bridge]);
    const tables = (await run('nft', ['list', 'tables'])).stdout.match(/^table \S+ gantry\S+$/gm) ?? [];
    for (const table of tables) {
      const words = table.split(' ').slice(1);
      const text = (await run('nft', ['list', 'table', ...words])).stdout;
      if (!text.includes(`"${this.bridge}"`)) continue;
      await run('nft', ['delete', 'table', ...words]);
      removeEmptyCgroups(table.replace(/.*gantry_/, 'gantry-'));
    }
  }

  /** Ends all containers and the daemon; @throws Error when something of it is left, or when it could not end by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined) return rmSync(this.root, { recursive: true, force: true });
    try {
      await this.#removeContainers();
      await this.stop();
    } finally {
      await this.kill9();
    }
    await this.#checkNothingLeft();
  }

  async discard(): Promise<void> {
    const all = (await this.api('GET', '/containers/json')).json<{ Id: string }[]>();
    for (const { Id } of all) await this.api('POST', `/containers/${Id}/kill`);
    await this.kill9();
    for (const trace of traces()) {
      const [kind, pid] = trace.split(' ');
      if (kind === 'process' && trace.includes(this.root)) process.kill(Number(pid), 'SIGKILL');
    }
    await this.#checkNothingLeft();
  }

  /** Clears away one that could not start: it has no containers. */
  async abandon(): Promise<void> {
    await this.kill9();
    await this.#removeNetwork();
    await this.#logClosed;
    rmSync(this.root, { recursive: true, force: true });
  }

  async #checkNothingLeft(): Promise<void> {
    await this.#removeNetwork();
    const words = [basename(this.root), this.bridge];
    const isMine = (trace: string) => words.some((word) => trace.includes(word)) && !trace.startsWith('file ');
    const left = await leftSince(this.#before, isMine);
    await this.#logClosed;
    if (left.length > 0) throw new Error(`the daemon left behind:\n${left.join('\n')}\n${this.log()}`);
    if (!this.#options.hasBug && this.log().includes('ended by a bug')) throw new Error(`a bug:\n${this.log()}`);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A daemon of one's own; `await using` ends it, its containers, and proves that nothing is left. */
export async function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  const daemon = new ThrowawayDaemon(options);
  if (options.stopped === true) return daemon;
  await daemon.start().catch(async (error: unknown) => {
    await daemon.abandon();
    throw error;
  });
  return daemon;
}
