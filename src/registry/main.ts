// Owns the life of the program gantry-registry: command, configuration, signals, exit code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endAtFirstBug, LastLines } from '../host/crash-report.ts';
import { openLineSink } from '../host/line-sink.ts';
import { GantryError, systemCallText } from '../lib/errors.ts';
import { VERSION } from '../lib/package.ts';
import { hasAccounts, htpasswdLine } from './access/index.ts';
import { checkStore, collect, takeOver } from './commands.ts';
import { readCommand, usage } from './config/index.ts';
import type { RegistryConfig } from './config/types.ts';
import { isLoopback } from './networks.ts';
import { createLog, logLine } from './observe/index.ts';
import { openRegistry } from './open.ts';
import type { Log } from './types.ts';

/** The process around the program. */
export type Surroundings = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'on' | 'once' | 'exit'>;

/** Runs gantry-registry. Resolves to the exit code: 0 after an orderly end, 1 when it could not start, 125 for a wrong command line. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv, io: Surroundings): Promise<number> {
  // A reader that went away must not end the program, nor the work of a command half-way.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  try {
    return await run(argv, env, io);
  } catch (error) {
    io.stderr.write(`gantry-registry: ${describe(error)}\n`);
    return error instanceof GantryError && error.code === 'BAD_USAGE' ? 125 : 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof GantryError) return error.hint ? `${error.message}; ${error.hint}` : error.message;
  return systemCallText(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
}

async function run(argv: readonly string[], env: NodeJS.ProcessEnv, io: Surroundings): Promise<number> {
  const command = readCommand(argv, env);
  switch (command.kind) {
    case 'help':
      io.stdout.write(usage(command.of));
      return 0;
    case 'version':
      io.stdout.write(`gantry-registry version ${VERSION}\n`);
      return 0;
    case 'hash-password':
      io.stdout.write(`${await htpasswdLine(command.user, readFileSync(0, 'utf8').replace(/\r?\n$/, ''))}\n`);
      return 0;
    case 'check-config':
      for (const notice of command.notices) io.stderr.write(`${notice}\n`);
      io.stdout.write('configuration OK\n');
      return 0;
    case 'gc':
      return collect(command.config, io, logOf(command.config, io));
    case 'check':
      return checkStore(command.config, command.isRepair, io, logOf(command.config, io));
    case 'import':
      return takeOver(command.config, command.from, io, logOf(command.config, io));
    case 'serve':
      return serve(command.config, command.notices, io);
  }
}

async function serve(config: RegistryConfig, notices: readonly string[], io: Surroundings): Promise<number> {
  await using stack = new AsyncDisposableStack();
  // A reader that stalls or goes away must not hold up or end the registry for its clients.
  const lostLine = (count: number): string => logLine(config.logFormat, 'warn', `${count} log lines were lost`);
  const access = stack.use(openLineSink(io.stdout.fd, lostLine));
  const own = stack.use(openLineSink(io.stderr.fd, lostLine));
  const last = new LastLines();
  const log = createLog(config.logLevel, config.logFormat, (line) => {
    last.add(line);
    own.write(line);
  });
  // The next start finds everything that was acknowledged.
  endAtFirstBug(io, {
    name: 'gantry-registry',
    version: VERSION,
    folder: join(config.root, 'crashes'),
    lines: last,
    log: (message, fields) => log('error', message, fields),
    flush: () => own[Symbol.dispose](),
  });
  for (const notice of notices) log('warn', notice);
  warn(config, log);
  const registry = stack.use(await openRegistry(config, { log, write: (lines) => access.write(lines) }));
  const everywhere = config.host === '' ? ', and on every other address of this machine' : '';
  log('info', `the registry listens on ${registry.url}${everywhere}`, { root: config.root });
  const reason = await endSignal(io);
  log('info', `ending (${reason})`);
  return 0;
}

function logOf(config: RegistryConfig, io: Surroundings): Log {
  return createLog(config.logLevel, config.logFormat, (line) => void io.stderr.write(line));
}

/** What an operator should know before the first client does. */
function warn(config: RegistryConfig, log: Log): void {
  const { access } = config;
  const isClosed = !hasAccounts(access);
  if (isClosed && access.anonymous !== 'push') {
    const most = access.anonymous === 'pull' ? 'everybody may pull, and nobody may push' : 'nobody may pull or push';
    const rights = access.rights.length > 0 ? ' but for what access.rights allow' : '';
    log(
      'warn',
      `${most}${rights}: there are no accounts; --htpasswd FILE adds some, --anonymous push lets everybody push`,
    );
  }
  if (!isClosed && access.admins.length === 0)
    log('info', 'nobody administers this registry: --admin NAME (access.admins) names who does');
  if (isLoopback(config.host)) return;
  if (access.anonymous === 'push') log('warn', 'anybody who reaches this address may push and delete');
  if (!config.tls && access.htpasswdFile) log('warn', 'passwords travel without TLS unless a proxy in front adds it');
}

function endSignal(io: Surroundings): Promise<string> {
  return new Promise((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) io.once(signal, () => end(signal));
  });
}
