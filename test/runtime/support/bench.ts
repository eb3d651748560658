// Owns a place where tests run real containers by the real shim and runtimes, and its cleaning up. Knows no engine.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Cgroups, createCgroups, detectCgroupLayout } from '../../../src/host/cgroup/index.ts';
import { readHostFacts } from '../../../src/host/process/index.ts';
import {
  attachShim,
  type BundleHost,
  type BundleInput,
  buildExec,
  buildSpec,
  capabilitiesOfMask,
  cgroupPathOf,
  connectShim,
  createSeccompCache,
  deleteArgs,
  type ExecInput,
  execArgs,
  networkSysctlSteps,
  probeRuntimes,
  type RuntimeDriver,
  resolveUser,
  runArgs,
  type ShimConnection,
  type ShimSpec,
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
export interface Wish extends Partial<Omit<BundleInput, 'id' | 'host' | 'rootfsPath'>> {
  readonly command: readonly string[];
  readonly stdin?: string | undefined;
}

/** One run, ended. */
export interface Ended {
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
  start(driver: RuntimeDriver, wish: Wish): Promise<Running>;
  /** Runs to the end. @throws SHIM_FAILED when the start fails */
  run(driver: RuntimeDriver, wish: Wish): Promise<Ended>;
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

/** Opens a bench under /tmp; everything of it goes at disposal. */
export async function openBench(): Promise<Bench> {
  const dir = mkdtempSync('/tmp/gantry-rt-');
  const image = join(dir, 'image');
  makeRootFs(image);
  const [layout, facts] = await Promise.all([detectCgroupLayout(), readHostFacts()]);
  const host: BundleHost = {
    architecture: hostPlatform().architecture,
    kernel: facts.kernel,
    hostname: facts.hostname,
    capabilities: capabilitiesOfMask(facts.capabilityMask),
    cgroupVersion: layout.version,
    cgroupParent: dir.replace('/tmp/', '/'),
    recursiveReadOnly: true,
    initBinary: SHIM,
    initByDefault: false,
  };
  const spawner = await startSpawner({ binary: SHIM });
  const seccomp = createSeccompCache(`${dir}/seccomp`);
  const trial = { dir: `${dir}/trials`, bootId: facts.bootId, layout, host };
  const runtimes = await probeRuntimes({ spawner, layout, execRoot: dir, added: {}, trial, seccomp });
  const cgroups = createCgroups(layout);
  const open = new Set<Running>();
  let count = 0;

  const launch = async (
    spec: Omit<ShimSpec, 'failFile' | 'pidFile'>,
    stdin: string | undefined,
  ): Promise<{ connection: ShimConnection; output: Promise<string>; pid: number }> => {
    await spawner.spawn({ ...spec, failFile: `${spec.dir}/runtime.log`, pidFile: 'pid' });
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
  };

  const start = async (driver: RuntimeDriver, wish: Wish): Promise<Running> => {
    const id = `c${process.pid}n${++count}`;
    const runDir = join(dir, id);
    const rootfsPath = join(runDir, 'rootfs');
    for (const name of ['rootfs', 'upper', 'work']) mkdirSync(join(runDir, name), { recursive: true });
    const input: BundleInput = {
      id,
      config: {},
      hostConfig: {},
      user: resolveUser('', [], { passwd: PASSWD, group: GROUP }),
      mounts: [],
      files: {},
      network: { kind: 'own' },
      devices: [],
      ...wish,
      rootfsPath,
      host,
    };
    const spec = buildSpec(input);
    writeFileSync(join(runDir, 'config.json'), specText(await seccomp.withCompiled(driver, spec)));
    const overlay = `lowerdir=${image},upperdir=${runDir}/upper,workdir=${runDir}/work`;
    const steps: Step[] = [
      { verb: 'unshare', what: 'mount' },
      ...driver.steps,
      ...(input.network.kind === 'own' ? [{ verb: 'unshare', what: 'net' } as const] : []),
      { verb: 'mount', type: 'overlay', source: 'overlay', target: rootfsPath, flags: 0, data: overlay },
      ...networkSysctlSteps(input),
    ];
    const cgroupPath = cgroupPathOf(input.hostConfig.CgroupParent, host.cgroupParent, id);
    const tty = input.config.Tty === true;
    const paths = { logFile: `${runDir}/runtime.log`, pidFile: `${runDir}/pid` };
    const { connection, output, pid } = await launch(
      {
        dir: runDir,
        steps,
        args: runArgs(driver, id, runDir, { ...paths, consoleSocket: tty ? `${runDir}/console` : undefined }),
        cleanupArgs: deleteArgs(driver, id),
        stdin: wish.stdin === undefined && !tty ? 'none' : 'open',
        stdinOnce: true,
        terminal: tty ? { rows: 24, columns: 80, consoleSocket: 'console' } : undefined,
        oomFile: cgroups.oomFile(cgroupPath),
      },
      wish.stdin,
    );
    await seccomp.learn(driver, spec, id);
    const ended = (async (): Promise<Ended> => {
      const { code, oomKilled } = await connection.until('exited');
      const said = await output;
      await connection.until('closed');
      return { output: said, code, oomKilled };
    })();
    ended.catch(() => undefined);
    let execs = 0;
    const running: Running = {
      id,
      pid,
      cgroupPath,
      connection,
      async exec(wished) {
        const execDir = join(runDir, `exec${++execs}`);
        mkdirSync(execDir);
        const exec: ExecInput = { env: [], tty: false, workingDir: '', privileged: false, user: input.user, ...wished };
        writeFileSync(join(execDir, 'process.json'), specText(buildExec(input, exec)));
        const execPaths = { logFile: `${execDir}/runtime.log`, pidFile: `${execDir}/pid` };
        const console = exec.tty ? { ...execPaths, consoleSocket: `${execDir}/console` } : execPaths;
        const made = await launch(
          {
            dir: execDir,
            steps: [{ verb: 'unshare', what: 'mount' }, ...driver.steps],
            args: execArgs(driver, id, `${execDir}/process.json`, console),
            stdin: 'none',
            terminal: exec.tty ? { rows: 24, columns: 80, consoleSocket: 'console' } : undefined,
          },
          undefined,
        );
        const { code, oomKilled } = await made.connection.until('exited');
        return { output: await made.output, code, oomKilled };
      },
      async end() {
        await connection.signal(9).catch(() => undefined);
        const result = await ended;
        open.delete(running);
        return result;
      },
    };
    open.add(running);
    void ended.finally(() => open.delete(running)).catch(() => undefined);
    return running;
  };

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
    start,
    async run(driver, wish) {
      const { connection, end } = await start(driver, wish);
      await connection.until('exited');
      return await end();
    },
    async [Symbol.asyncDispose]() {
      for (const running of open) await running.end().catch(() => undefined);
      await spawner[Symbol.asyncDispose]();
      await cgroups.remove(host.cgroupParent);
      await rm(dir, { recursive: true, force: true });
      rmSync(dir, { recursive: true, force: true });
    },
  };
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
