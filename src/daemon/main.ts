// Owns the daemon's life: configuration, engine, API, signals, and their end in reverse order.

import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { type ApiLogger, type ApiServer, createApiServer } from '../api/index.ts';
import { type EngineOptions, type OpenEngine, openEngine } from '../engine/index.ts';
import { endAtFirstBug, LastLines } from '../host/crash-report.ts';
import { openLineSink } from '../host/line-sink.ts';
import { peerIsGone } from '../host/peer-gone.ts';
import { findExecutable } from '../host/process/index.ts';
import { GantryError, systemCallText } from '../lib/errors.ts';
import { packageRoot, VERSION } from '../lib/package.ts';
import { type Configured, type DaemonConfig, type LogLevel, readAgain, readCommand, usage } from './config.ts';
import { engineSettings, reloadAttributes } from './engine-options.ts';
import { trimWhenIdle } from './idle-memory.ts';
import { listenAll } from './listen.ts';
import { createLogger } from './log.ts';
import { holdPidfile } from './pidfile.ts';
import { ReloadSignal } from './reload-signal.ts';

/** The process around the daemon: where it speaks, and who tells it to end. */
export type DaemonProcess = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'once' | 'on' | 'exit'>;

/** Runs gantryd. Resolves to the exit code: 0 after an orderly end, 1 when it could not start. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv, io: DaemonProcess): Promise<number> {
  try {
    const command = readCommand(argv, env);
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
        await run(command, () => readAgain(argv, env), io);
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

async function run({ warnings, file, ...start }: Configured, read: () => Configured, io: DaemonProcess): Promise<void> {
  if (process.getuid?.() !== 0) throw new GantryError('forbidden', 'NOT_ROOT', 'the daemon must run as root');
  await using stack = new AsyncDisposableStack();
  let { config } = start;
  const current = (): DaemonConfig => config;
  const logger = openLog(io, current, stack);
  const hangUp = new ReloadSignal();
  io.on('SIGHUP', hangUp.raise);
  for (const warning of warnings) logger.log('warn', warning);
  useProxies(config);
  stack.use(await holdPidfile(resolve(config.pidfile)));
  const engine = stack.use(await openEngine(await engineOptions(config, logger)));
  const api = await serveApi(engine, current, logger, stack);
  const apply = async (next: DaemonConfig): Promise<void> => {
    await engine.reload(engineSettings(next), reloadAttributes(next, hostname()));
    config = next;
  };
  hangUp.serve({ logger, file, read, current, apply });
  logger.log('info', 'the engine is ready');
  const reason = await endSignal(io);
  logger.log('info', `ending (${reason}); containers ${config.liveRestore ? 'run on' : 'end too'}`);
  if (config.liveRestore) return;
  await api.close();
  await engine.stopAll(config.shutdownTimeoutSeconds);
}

/** The daemon's log. A bug from here on is reported and ends the process: containers run on, and the next start recovers the rest. */
function openLog(io: DaemonProcess, current: () => DaemonConfig, stack: AsyncDisposableStack): ApiLogger {
  const { dataRoot, logFormat: format } = current();
  const sink = stack.use(openLineSink(io.stderr.fd));
  // Whatever else writes there (Node's own warnings): a reader that went away must not end the daemon.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const lines = new LastLines();
  const level = (): LogLevel => (current().debug ? 'debug' : current().logLevel);
  const logger = createLogger({ level, format }, (line) => {
    lines.add(line);
    sink.write(line);
  });
  endAtFirstBug(io, {
    name: 'gantryd',
    version: VERSION,
    folder: join(resolve(dataRoot), 'crashes'),
    lines,
    log: (message, fields) => logger.log('error', message, fields),
    flush: () => sink[Symbol.dispose](),
  });
  return logger;
}

async function engineOptions(config: DaemonConfig, logger: ApiLogger): Promise<EngineOptions> {
  return {
    ...config,
    ...engineSettings(config),
    dataRoot: resolve(config.dataRoot),
    execRoot: resolve(config.execRoot),
    initPath: config.initPath && ((await findExecutable(config.initPath)) ?? config.initPath),
    shimBinary: join(packageRoot(), 'shim/build/gantry-shim'),
    version: VERSION,
    log: (level, message) => logger.log(level, message),
  };
}

async function serveApi(
  engine: OpenEngine,
  current: () => DaemonConfig,
  logger: ApiLogger,
  stack: AsyncDisposableStack,
): Promise<ApiServer> {
  const { experimental, minApiVersion } = current();
  const builderVersion = (): '1' | '2' => (current().features.buildkit === false ? '1' : '2');
  const facts = { version: VERSION, experimental, builderVersion, ...(minApiVersion && { minApiVersion }) };
  const memory = stack.use(trimWhenIdle());
  const onConnection = (): void => {
    engine.expectWork();
    memory.busy();
  };
  const api = createApiServer({ engine, logger, facts, isPeerGone: peerIsGone, onConnection });
  stack.defer(() => api.close());
  await listenAll(api, current(), (line) => logger.log('info', line));
  return api;
}

/** Also for what looks at the environment by itself. */
function useProxies({ httpProxy, httpsProxy, noProxy }: DaemonConfig): void {
  for (const [name, value] of Object.entries({ HTTP_PROXY: httpProxy, HTTPS_PROXY: httpsProxy, NO_PROXY: noProxy })) {
    if (value === '') continue;
    process.env[name] = value;
    delete process.env[name.toLowerCase()];
  }
}

function endSignal(io: DaemonProcess): Promise<string> {
  return new Promise((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) io.once(signal, () => end(signal));
  });
}
