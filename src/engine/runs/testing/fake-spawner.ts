// A fake of the port Spawner: its shims are scripted ones on real sockets, its commands are only noted. This process stands for the shim's.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Cgroups } from '../../../host/cgroup/index.ts';
import { testFolder } from '../../../lib/testing/folder.ts';
import { limitTest } from '../../../lib/testing/limit.ts';
import type { RuntimeDriver } from '../../../runtime/drivers/index.ts';
import type { ShimSpec, Spawner } from '../../../runtime/link/index.ts';
import { ScriptedShim } from '../../../runtime/link/testing/scripted-shim.ts';
import type { ContainerPaths, ContainerRecord, MountRecord } from '../../containers/types.ts';
import type { RunsDeps } from '../index.ts';

type RunRequest = Parameters<Spawner['run']>[0];
type RunResult = Awaited<ReturnType<Spawner['run']>>;

class FakeSpawner implements Spawner {
  readonly pid = process.pid;
  readonly specs: ShimSpec[] = [];
  readonly commands: RunRequest[] = [];
  readonly shims: ScriptedShim[] = [];
  /** What a command leaves; it may throw. */
  result: (request: RunRequest) => RunResult = () => ({ code: 0, out: '', err: '' });
  /** What a shim does first; by default its steps succeed. */
  first: (shim: ScriptedShim) => void = (shim) =>
    shim.tell([
      ['ev', 'ready'],
      ['pid', String(process.pid)],
    ]);
  /** What a shim does at its start; by default its process runs. */
  started: (shim: ScriptedShim) => void = (shim) =>
    shim.tell([
      ['ev', 'started'],
      ['pid', '77'],
      ['at', '5'],
    ]);

  async spawn(spec: ShimSpec): Promise<{ readonly pid: number }> {
    this.specs.push(spec);
    const shim = await ScriptedShim.listen(spec.dir);
    this.shims.push(shim);
    writeFileSync(join(spec.dir, 'shim.pid'), `${process.pid}\n`);
    mkdirSync(join(spec.dir, 'rootfs', 'etc'), { recursive: true });
    writeFileSync(join(spec.dir, 'rootfs', 'etc', 'passwd'), 'app:x:7:8::/home/app:/bin/sh\n');
    shim.answer = (op) => {
      if (op === 'start') setImmediate(() => this.started(shim));
      if (op === 'abandon') setImmediate(() => shim.hangUp());
      return [['ok', '1']];
    };
    this.first(shim);
    return { pid: process.pid };
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.commands.push(request);
    return this.result(request);
  }

  async seal(path: string): Promise<string> {
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shim of this.shims) await shim[Symbol.asyncDispose]();
  }
}

const HOST: RunsDeps['host'] = {
  architecture: 'amd64',
  kernel: [6, 18],
  hostname: 'vm',
  capabilities: ['CAP_CHOWN', 'CAP_KILL'],
  cgroupVersion: 2,
  cgroupParent: '/gantry',
  apparmor: false,
  cgroupMounts: [],
  initBinary: '/shim',
  initByDefault: false,
};

export const ID = 'ab'.repeat(32);

export class RunsBench {
  readonly dir = testFolder('runs');
  readonly shimsDir = join(this.dir, 'shims');
  readonly spawner = new FakeSpawner();
  /** Processes by cgroup. */
  readonly pids = new Map<string, number[]>();
  readonly removedCgroups: string[] = [];
  cgroupChildren: string[] = [];
  readonly driver: RuntimeDriver;
  readonly deps: RunsDeps;

  constructor() {
    const stateDir = join(this.dir, 'state');
    for (const dir of [this.shimsDir, stateDir, join(this.dir, 'containers')]) mkdirSync(dir);
    this.driver = {
      name: 'crun',
      dialect: 'crun',
      binary: '/bin/crun',
      program: '/bin/crun',
      version: '1.8',
      stateDir,
      steps: [],
      traits: { name: 'crun', recursiveReadOnly: true, isCrun: true },
      extraArgs: [],
    };
    this.deps = {
      spawner: this.spawner,
      drivers: new Map([['crun', this.driver]]),
      host: HOST,
      seccomp: { withCompiled: async (_driver, spec) => spec, keep: async () => undefined },
      cgroups: this.#cgroups(),
      sessionProgram: 9,
      shimsDir: this.shimsDir,
      rootfs: { steps: (_parts, target) => [{ verb: 'mkdir', path: target, mode: 0o755 }] },
      paths: (id) => this.paths(id),
    };
  }

  paths(id: string): ContainerPaths {
    const dir = join(this.dir, 'containers', id);
    const at = (name: string): string => join(dir, name);
    const [resolvConf, hostname, hosts] = [at('resolv.conf'), at('hostname'), at('hosts')];
    return { dir, resolvConf, hostname, hosts, log: at('log'), shm: at('shm'), upper: at('upper'), work: at('work') };
  }

  record(change: Partial<ContainerRecord> = {}): ContainerRecord {
    return {
      id: ID,
      name: 'web',
      config: { Env: ['PATH=/bin'] },
      hostConfig: { NetworkMode: 'bridge', IpcMode: 'private', ShmSize: 1000, LogConfig: { Type: 'json-file' } },
      networks: { bridge: { aliases: [] } },
      mounts: [] as MountRecord[],
      command: ['sh', '-c', 'x'],
      runtime: 'crun',
      logDriver: 'json-file',
      logOptions: {},
      state: { phase: 'running', pid: 77 },
      endpoints: [],
      ...change,
    } as unknown as ContainerRecord;
  }

  request(record: ContainerRecord) {
    return { record, paths: this.paths(record.id), layersDir: '/layers', lowerDirs: ['1'], ownNetwork: true };
  }

  async close(): Promise<void> {
    await this.spawner[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #cgroups(): Cgroups {
    return {
      layout: { version: 2 } as never,
      exists: async () => true,
      pids: async (path) => this.pids.get(path) ?? [],
      freezerState: async () => 'none',
      oomFile: (path) => `/sys${path}/memory.events`,
      usage: () => Promise.reject(new Error('not asked for')),
      remove: async (path) => void this.removedCgroups.push(path),
      children: async () => this.cgroupChildren,
    };
  }
}

/** A bench that is closed with the test. */
export function openRunsBench(t: TestContext): RunsBench {
  limitTest(t);
  const bench = new RunsBench();
  t.after(() => bench.close());
  return bench;
}
