// Owns a place where tests run real containers by the real shim and runtimes, and its cleaning up. Knows no engine.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Cgroups, createCgroups, detectCgroupLayout } from '../../../src/host/cgroup/index.ts';
import { type HostFacts, readHostFacts } from '../../../src/host/process/index.ts';
import {
  attachShim,
  type BundleHost,
  type BundleInput,
  buildExec,
  buildSpec,
  capabilitiesOfMask,
  cgroupPathOf,
  compileFilter,
  connectShim,
  createSeccompCache,
  deleteArgs,
  type ExecInput,
  execArgs,
  networkSysctlSteps,
  probeRuntimes,
  type RuntimeDriver,
  type RuntimeTraits,
  resolveUser,
  runArgs,
  type SeccompCache,
  type ShimConnection,
  type ShimSpec,
  type ShimTerminal,
  type Spawner,
  type Step,
  specText,
  startSpawner,
} from '../../../src/runtime/index.ts';
import { hostPlatform } from '../../../src/spec/platform.ts';

/** The program under test. */
export const SHIM = new URL('../../../shim/build/gantry-shim', import.meta.url).pathname;
const BUSYBOX = '/bin/busybox';

/** Why these tests cannot run here; false when they can. */
export const skip: string | false =
  process.getuid?.() !== 0
    ? 'needs root'
    : !existsSync(SHIM)
      ? 'the shim is not built: make -C shim'
      : existsSync(BUSYBOX)
        ? false
        : 'needs busybox-static';

/** What a container is to be; the rest is Docker's default. */
interface Request extends Partial<Omit<BundleInput, 'id' | 'host' | 'rootfsPath'>> {
  readonly command: readonly string[];
  readonly stdin?: string | undefined;
}

/** One run, ended. */
interface Ended {
  readonly output: string;
  readonly code: number;
  readonly oomKilled: boolean;
}

/** A container that runs. */
export interface Running {
  readonly id: string;
  readonly pid: number;
  readonly cgroupPath: string;
  readonly connection: ShimConnection;
  exec(exec: Partial<ExecInput> & Pick<ExecInput, 'command'>): Promise<Ended>;
  /** Kills it when it still runs; resolves when the shim is gone. */
  end(): Promise<Ended>;
}

/** A scratch engine without engine: directories, spawner, runtimes. */
export interface Bench extends AsyncDisposable {
  readonly dir: string;
  readonly spawner: Spawner;
  readonly cgroups: Cgroups;
  readonly host: BundleHost;
  driver(name: string): RuntimeDriver;
  start(driver: RuntimeDriver, request: Request): Promise<Running>;
  /** Runs to the end. @throws SHIM_FAILED when the start fails */
  run(driver: RuntimeDriver, request: Request): Promise<Ended>;
}

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/var/www:/bin/sh\n';
const GROUP = 'root:x:0:\nweb:x:44:\naudio:x:29:web\n';

function makeRootFs(root: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'root', 'var/www']) mkdirSync(join(root, name), { recursive: true });
  cpSync(BUSYBOX, join(root, 'bin/busybox'), { dereference: true });
  for (const applet of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean)) {
    if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/group'), GROUP);
}

/** What every run of a bench needs. */
interface Ground {
  readonly dir: string;
  readonly image: string;
  readonly spawner: Spawner;
  readonly host: BundleHost;
  readonly cgroups: Cgroups;
  readonly seccomp: SeccompCache;
  readonly open: Set<Running>;
  count: number;
}

/** Opens a bench under /tmp; everything of it goes at disposal. */
export async function openBench(): Promise<Bench> {
  const dir = mkdtempSync('/tmp/gantry-rt-');
  const image = join(dir, 'image');
  makeRootFs(image);
  const [layout, facts] = await Promise.all([detectCgroupLayout(), readHostFacts()]);
  const host = hostOf(dir, facts, layout.version);
  const spawner = await startSpawner({ binary: SHIM });
  const trial = { dir: `${dir}/trials`, bootId: facts.bootId, layout, host };
  const seccomp = createSeccompCache(`${dir}/seccomp`, (driver, profile) =>
    compileFilter(trial, spawner, driver, profile),
  );
  const runtimes = await probeRuntimes({ spawner, layout, execRoot: dir, added: {}, trial, seccomp });
  const cgroups = createCgroups(layout);
  const ground: Ground = { dir, image, spawner, host, cgroups, seccomp, open: new Set(), count: 0 };
  return {
    dir,
    spawner,
    cgroups,
    host,
    driver(name) {
      const found = runtimes.drivers.get(name);
      if (found === undefined) throw new Error(`${name} is not installed`);
      return found;
    },
    start: (driver, request) => startContainer(ground, driver, request),
    async run(driver, request) {
      const { connection, end } = await startContainer(ground, driver, request);
      await connection.until('exited');
      return await end();
    },
    async [Symbol.asyncDispose]() {
      for (const running of ground.open) await running.end().catch(() => undefined);
      await spawner[Symbol.asyncDispose]();
      await cgroups.remove(host.cgroupParent);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function hostOf(dir: string, facts: HostFacts, cgroupVersion: 1 | 2): BundleHost {
  return {
    architecture: hostPlatform().architecture,
    kernel: facts.kernel,
    hostname: facts.hostname,
    capabilities: capabilitiesOfMask(facts.capabilityMask),
    cgroupVersion,
    cgroupParent: dir.replace('/tmp/', '/'),
    apparmor: false,
    cgroupMounts: [],
    initBinary: SHIM,
    initByDefault: false,
  };
}

interface Launched {
  readonly connection: ShimConnection;
  readonly output: Promise<string>;
  readonly pid: number;
}

/** Spawns, attaches, starts. A failed start is reported once its shim is gone. */
async function launch(
  ground: Ground,
  spec: Omit<ShimSpec, 'failFile' | 'pidFile'>,
  stdin: string | undefined,
): Promise<Launched> {
  await ground.spawner.spawn({ ...spec, failFile: `${spec.dir}/runtime.log`, pidFile: 'pid' });
  const connection = await connectShim(spec.dir);
  await connection.until('ready');
  const stream = await attachShim(spec.dir, { stdin: stdin !== undefined, stdout: true, stderr: true });
  const output = buffer(stream).then((raw) => (spec.terminal === undefined ? unframe(raw) : raw).toString());
  stream.end(stdin ?? '');
  await connection.start();
  try {
    const { pid } = await connection.until('started');
    return { connection, output, pid };
  } catch (error) {
    await connection.until('closed');
    throw error;
  }
}

async function startContainer(ground: Ground, driver: RuntimeDriver, request: Request): Promise<Running> {
  const id = `c${process.pid}n${++ground.count}`;
  const runDir = join(ground.dir, id);
  for (const name of ['rootfs', 'upper', 'work']) mkdirSync(join(runDir, name), { recursive: true });
  const input = inputOf(ground, driver.traits, request, id, join(runDir, 'rootfs'));
  const spec = buildSpec(input);
  writeFileSync(join(runDir, 'config.json'), specText(await ground.seccomp.withCompiled(driver, spec)));
  const cgroupPath = cgroupPathOf(input.hostConfig.CgroupParent, ground.host.cgroupParent, id);
  const { consoleSocket, terminal } = consoleOf(input.config.Tty === true, runDir);
  const { connection, output, pid } = await launch(
    ground,
    {
      dir: runDir,
      steps: stepsOf(ground, driver, input, runDir),
      args: runArgs(driver, id, runDir, { ...pathsIn(runDir), consoleSocket }),
      cleanupArgs: deleteArgs(driver, id),
      stdin: request.stdin === undefined && terminal === undefined ? 'none' : 'open',
      stdinOnce: true,
      terminal,
      oomFile: ground.cgroups.oomFile(cgroupPath),
    },
    request.stdin,
  );
  const ended = settle(connection, output);
  let execs = 0;
  const running: Running = {
    id,
    pid,
    cgroupPath,
    connection,
    exec: (exec) => runExec(ground, driver, input, join(runDir, `exec${++execs}`), exec),
    async end() {
      await connection.signal(9).catch(() => undefined);
      return await ended;
    },
  };
  ground.open.add(running);
  void ended.catch(() => undefined).finally(() => ground.open.delete(running));
  return running;
}

function inputOf(
  { host }: Ground,
  runtime: RuntimeTraits,
  request: Request,
  id: string,
  rootfsPath: string,
): BundleInput {
  return {
    id,
    config: {},
    hostConfig: {},
    user: resolveUser('', [], { passwd: PASSWD, group: GROUP }),
    mounts: [],
    files: {},
    network: { kind: 'own' },
    devices: [],
    ...request,
    rootfsPath,
    runtime,
    host,
  };
}

function stepsOf({ image }: Ground, driver: RuntimeDriver, input: BundleInput, runDir: string): Step[] {
  const data = `lowerdir=${image},upperdir=${runDir}/upper,workdir=${runDir}/work`;
  return [
    { verb: 'unshare', what: 'mount' },
    ...driver.steps,
    ...(input.network.kind === 'own' ? [{ verb: 'unshare', what: 'net' } as const] : []),
    { verb: 'mount', type: 'overlay', source: 'overlay', target: input.rootfsPath, flags: 0, data },
    ...networkSysctlSteps(input),
  ];
}

function pathsIn(dir: string): { readonly logFile: string; readonly pidFile: string } {
  return { logFile: `${dir}/runtime.log`, pidFile: `${dir}/pid` };
}

function consoleOf(tty: boolean, dir: string): { consoleSocket?: string; terminal?: ShimTerminal } {
  if (!tty) return {};
  return { consoleSocket: `${dir}/console`, terminal: { rows: 24, columns: 80, consoleSocket: 'console' } };
}

async function settle(connection: ShimConnection, output: Promise<string>): Promise<Ended> {
  const { code, oomKilled } = await connection.until('exited');
  const said = await output;
  await connection.until('closed');
  return { output: said, code, oomKilled };
}

async function runExec(
  ground: Ground,
  driver: RuntimeDriver,
  input: BundleInput,
  dir: string,
  requested: Partial<ExecInput> & Pick<ExecInput, 'command'>,
): Promise<Ended> {
  mkdirSync(dir);
  const exec: ExecInput = { env: [], tty: false, workingDir: '', privileged: false, user: input.user, ...requested };
  writeFileSync(join(dir, 'process.json'), specText(buildExec(input, exec)));
  const { consoleSocket, terminal } = consoleOf(exec.tty, dir);
  const { connection, output } = await launch(
    ground,
    {
      dir,
      steps: [{ verb: 'unshare', what: 'mount' }, ...driver.steps],
      args: execArgs(driver, input.id, `${dir}/process.json`, { ...pathsIn(dir), consoleSocket }),
      stdin: 'none',
      terminal,
    },
    undefined,
  );
  return await settle(connection, output);
}

/** Joins the payloads of Docker's frames. */
function unframe(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}

/** Runs a short command of the runtime, as pause and resume are. @throws Error with its words */
export async function runCommand(bench: Bench, driver: RuntimeDriver, args: readonly string[]): Promise<void> {
  const steps: readonly Step[] = [{ verb: 'unshare', what: 'mount' }, ...driver.steps];
  const { code, err } = await bench.spawner.run({ args, steps, timeoutMs: 10_000 });
  if (code !== 0) throw new Error(err);
}

/** A file of the version 1 or 2 cgroup of a container: `[controller, v1 file, v2 file]`. */
export async function limitOf(
  bench: Bench,
  running: Running,
  file: readonly [string, string, string],
): Promise<string> {
  const { layout } = bench.cgroups;
  const path =
    layout.version === 2
      ? `${layout.unified}${running.cgroupPath}/${file[2]}`
      : `${layout.controllers.get(file[0])}${running.cgroupPath}/${file[1]}`;
  return (await readFile(path, 'utf8')).trim();
}
