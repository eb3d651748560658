// Owns the daemon's life: configuration, engine, API, signals, and their end in reverse order.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ApiServer, createApiServer, type ListenSpec } from '../api/index.ts';
import { openEngine } from '../engine/index.ts';
import { openLineSink } from '../host/line-sink.ts';
import { peerIsGone } from '../host/peer-gone.ts';
import { GantryError, messageOf, systemCallText } from '../lib/errors.ts';
import { packageRoot, VERSION } from '../lib/package.ts';
import { type DaemonConfig, readCommand, usage } from './config.ts';
import { trimWhenIdle } from './idle-memory.ts';
import { createLogger } from './log.ts';
import { holdPidfile } from './pidfile.ts';

/** The process around the daemon: where it speaks, and who tells it to end. */
export type DaemonProcess = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'once' | 'on'>;

/** Runs gantryd. Resolves to the exit code: 0 after an orderly end, 1 when it could not start. */
export async function main(argv: readonly string[], _env: NodeJS.ProcessEnv, io: DaemonProcess): Promise<number> {
  try {
    const command = readCommand(argv);
    switch (command.kind) {
      case 'help':
        io.stdout.write(usage());
        break;
      case 'version':
        io.stdout.write(`gantryd version ${VERSION}\n`);
        break;
      case 'validate':
        io.stdout.write('configuration OK\n');
        break;
      case 'run':
        await run(command.config, io);
    }
    return 0;
  } catch (error) {
    io.stderr.write(`gantryd: ${describe(error)}\n`);
    return 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof GantryError) return error.hint ? `${error.message}; ${error.hint}` : error.message;
  return systemCallText(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
}

async function run(config: DaemonConfig, io: DaemonProcess): Promise<void> {
  if (process.getuid?.() !== 0) throw new GantryError('forbidden', 'NOT_ROOT', 'the daemon must run as root');
  await using stack = new AsyncDisposableStack();
  const sink = stack.use(openLineSink(io.stderr.fd));
  // Whatever else writes there (Node's own warnings): a reader that went away must not end the daemon.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const logger = createLogger(config.logLevel, (line) => sink.write(line));
  // A bug in one request must not end the engine for all others; what it did not finish, recovery will.
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    io.on(event, (error: unknown) =>
      logger.log('error', `bug: ${error instanceof Error ? error.stack : String(error)}`),
    );
  }
  stack.use(await holdPidfile(resolve(config.pidfile)));
  const engine = stack.use(
    await openEngine({
      ...config,
      dataRoot: resolve(config.dataRoot),
      execRoot: resolve(config.execRoot),
      shimBinary: join(packageRoot(), 'shim/build/gantry-shim'),
      version: VERSION,
      debug: config.logLevel === 'debug',
      log: (level, message) => logger.log(level, message),
    }),
  );
  const facts = { version: VERSION, experimental: false };
  const memory = stack.use(trimWhenIdle());
  const onConnection = (): void => {
    engine.expectWork();
    memory.busy();
  };
  const api = createApiServer({ engine, logger, facts, isPeerGone: peerIsGone, onConnection });
  stack.defer(() => api.close());
  for (const host of config.hosts) await listen(api, host, config.group, (line) => logger.log('info', line));
  logger.log('info', 'the engine is ready');
  const reason = await toldToEnd(io);
  logger.log('info', `ending (${reason}); containers run on`);
}

function toldToEnd(io: DaemonProcess): Promise<string> {
  return new Promise((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) io.once(signal, () => end(signal));
  });
}

async function listen(api: ApiServer, host: string, group: string, tell: (line: string) => void): Promise<void> {
  try {
    tell(`API listens on ${await api.listen(listenSpec(host, group))}`);
  } catch (error) {
    throw new GantryError('conflict', 'LISTEN', `cannot listen on ${host}: ${messageOf(error)}`, { cause: error });
  }
}

function listenSpec(host: string, group: string): ListenSpec {
  if (host.startsWith('unix://')) {
    const groupId = groupIdOf(group);
    return { kind: 'unix', path: resolve(host.slice('unix://'.length)), ...(groupId !== undefined && { groupId }) };
  }
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(url.port || 80) };
}

/** The group's id, by name or number; undefined when the host has no such group (the socket is root's then). */
function groupIdOf(group: string): number | undefined {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${group}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}
