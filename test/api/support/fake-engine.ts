// Owns an engine in memory for API tests: every face, no kernel. Keeps the rules that the API's answers show, no others.

import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type {
  ContainerRecord,
  ContainerState,
  Containers,
  ContainerView,
  CreateRequest,
} from '../../../src/engine/containers/types.ts';
import type { ExecRecord, Execs } from '../../../src/engine/exec/types.ts';
import type { ImageRecord } from '../../../src/engine/images/types.ts';
import type { Engine } from '../../../src/engine/types.ts';
import { formatRfc3339, ZERO_TIME } from '../../../src/spec/time.ts';
import { failure, fakeEvents, fakeFiles, fakeImage, fakeImages, fakeNetworks, fakeVolumes } from './fake-faces.ts';
import { type FakeProcess, framed, startFake } from './fake-process.ts';

interface FakeContainer {
  record: ContainerRecord;
  process: FakeProcess | undefined;
  begin: () => void;
  removed: Promise<void>;
  markRemoved: () => void;
  lastExit: Promise<number> | undefined;
}

/** The fake, and what tests look at or break. */
export interface FakeEngine {
  readonly engine: Engine;
  /** Calls that reached a face, as `noun.verb`. */
  readonly calls: string[];
  readonly created: CreateRequest[];
  readonly images: ImageRecord[];
  processOf(name: string): FakeProcess | undefined;
  /** The next call of `noun.verb` fails so. */
  failNext(call: string, error: unknown): void;
}

function nowText(): string {
  return formatRfc3339(BigInt(Date.now()) * 1_000_000n);
}

export function createFakeEngine(): FakeEngine {
  const calls: string[] = [];
  const created: CreateRequest[] = [];
  const failures = new Map<string, unknown>();
  const called = (call: string): void => {
    calls.push(call);
    const planned = failures.get(call);
    failures.delete(call);
    if (planned !== undefined) throw planned;
  };
  const images = [fakeImage('busybox:latest')];
  const bus = new EventEmitter();
  bus.setMaxListeners(0);
  const containers = new Map<string, FakeContainer>();

  const find = (ref: string): FakeContainer => {
    const name = ref.replace(/^\//, '');
    for (const container of containers.values()) {
      if (container.record.id === name || container.record.name === name) return container;
    }
    const matches = [...containers.values()].filter((c) => c.record.id.startsWith(name));
    const [only] = matches;
    if (only && matches.length === 1) return only;
    if (only) throw failure('invalid', 'AMBIGUOUS_ID', `multiple IDs found with provided prefix: ${name}`);
    throw failure('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`);
  };
  const setState = (container: FakeContainer, state: Partial<ContainerState>): void => {
    container.record = { ...container.record, state: { ...container.record.state, ...state } };
  };
  const publish = (container: FakeContainer, action: string, more: Record<string, string> = {}): void => {
    const { record } = container;
    events.publish({
      type: 'container',
      action,
      actorId: record.id,
      attributes: { image: record.imageName, name: record.name, ...record.config.Labels, ...more },
    });
  };
  const requireRunning = (container: FakeContainer): FakeProcess => {
    if (container.process && container.record.state.phase === 'running') return container.process;
    throw failure('conflict', 'CONTAINER_NOT_RUNNING', `container ${container.record.id} is not running`);
  };
  const drop = (container: FakeContainer): void => {
    containers.delete(container.record.id);
    publish(container, 'destroy');
    container.markRemoved();
  };

  const events = fakeEvents(bus);
  const containerFace: Containers = {
    async create(request) {
      called('containers.create');
      created.push(request);
      const name = request.name ?? `fake_${randomBytes(4).toString('hex')}`;
      const image = imageFace.get(request.body.Image ?? '');
      for (const { record } of containers.values()) {
        if (record.name === name) {
          const text = `Conflict. The container name "/${name}" is already in use by container "${record.id}". You have to remove (or rename) that container to be able to reuse that name.`;
          throw failure('conflict', 'CONTAINER_NAME_TAKEN', text);
        }
      }
      const container = newContainer(name, request, image);
      prepare(container);
      containers.set(container.record.id, container);
      publish(container, 'create');
      return { id: container.record.id, warnings: [] };
    },
    async start(ref) {
      called('containers.start');
      const container = find(ref);
      if (container.record.state.phase === 'running')
        throw failure('notModified', 'ALREADY_RUNNING', 'container already running');
      if (container.record.state.phase === 'exited') prepare(container);
      setState(container, { phase: 'running', pid: 4242, startedAt: nowText(), finishedAt: ZERO_TIME });
      publish(container, 'start');
      const process = container.process as FakeProcess;
      container.lastExit = process.exited.then((exitCode) => {
        setState(container, { phase: 'exited', pid: 0, exitCode, finishedAt: nowText() });
        publish(container, 'die', { exitCode: String(exitCode) });
        if (container.record.hostConfig.AutoRemove) drop(container);
        return exitCode;
      });
      container.begin();
    },
    async stop(ref) {
      called('containers.stop');
      const container = find(ref);
      if (container.record.state.phase !== 'running') throw failure('notModified', 'ALREADY_STOPPED', 'not running');
      container.process?.kill(9);
      await container.lastExit;
    },
    async restart(ref) {
      called('containers.restart');
      const container = find(ref);
      if (container.record.state.phase === 'running') {
        container.process?.kill(9);
        await container.lastExit;
      }
      await this.start(ref);
    },
    async kill(ref, signal) {
      called('containers.kill');
      if (signal === 'foo') throw failure('invalid', 'INVALID_SIGNAL', `invalid signal: ${signal}`);
      requireRunning(find(ref)).kill(signal === 'TERM' ? 15 : 9);
    },
    async pause(ref) {
      called('containers.pause');
      const container = find(ref);
      requireRunning(container);
      setState(container, { phase: 'paused' });
    },
    async unpause(ref) {
      called('containers.unpause');
      const container = find(ref);
      if (container.record.state.phase !== 'paused') {
        throw failure('system', 'NOT_PAUSED', `Container ${container.record.id} is not paused`);
      }
      setState(container, { phase: 'running' });
    },
    async rename(ref, newName) {
      called('containers.rename');
      const container = find(ref);
      container.record = { ...container.record, name: newName };
    },
    async remove(ref, options) {
      called('containers.remove');
      const container = find(ref);
      if (container.record.state.phase === 'running') {
        const text = `cannot remove container "${container.record.name}": container is running: stop the container before removing or force remove`;
        if (!options.force) throw failure('conflict', 'CONTAINER_STILL_RUNNING', text);
        container.process?.kill(9);
        await container.lastExit;
      }
      drop(container);
    },
    async prune() {
      called('containers.prune');
      return { ids: [], reclaimedBytes: 0 };
    },
    async wait(ref, condition, ready, signal) {
      called('containers.wait');
      const container = find(ref);
      ready();
      const { phase, exitCode } = container.record.state;
      if (condition === 'not-running' && phase !== 'running') return { exitCode };
      const ended = condition === 'removed' ? container.removed : nextExit(container);
      const gone = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      await Promise.race([ended, gone]);
      return { exitCode: container.record.state.exitCode };
    },
    async attach(ref, request) {
      called('containers.attach');
      const container = find(ref);
      if (container.record.state.phase === 'exited') prepare(container);
      const process = container.process as FakeProcess;
      return { tty: container.record.config.Tty ?? false, stream: process.attach(request) };
    },
    async logs(ref, request, signal) {
      called('containers.logs');
      const container = find(ref);
      const process = container.process;
      const tty = container.record.config.Tty ?? false;
      return { tty, chunks: logChunks(process, request.follow, signal) };
    },
    async resize(ref) {
      called('containers.resize');
      requireRunning(find(ref));
    },
    async top(ref) {
      called('containers.top');
      requireRunning(find(ref));
      return { titles: ['PID', 'CMD'], processes: [['4242', 'fake']] };
    },
    view: (ref) => viewOf(find(ref)),
    list(filter) {
      called('containers.list');
      const all = [...containers.values()].reverse().map(viewOf);
      const names = filter.filters.get('name');
      return all
        .filter(({ record }) => filter.all || record.state.phase === 'running')
        .filter(({ record }) => !names || names.some((name) => record.name.includes(name)))
        .slice(0, filter.limit);
    },
    size: async () => ({ sizeRwBytes: 0, sizeRootFsBytes: 2_066_620 }),
  };

  const imageFace = fakeImages(images, called, events);
  const engine: Engine = {
    containers: containerFace,
    execs: fakeExecs(find, requireRunning, called),
    files: fakeFiles(find, called),
    images: imageFace,
    networks: fakeNetworks(),
    volumes: fakeVolumes(called),
    events,
    system: {
      info: async () => ({
        ID: 'fake',
        Containers: containers.size,
        Driver: 'overlay2',
        OSType: 'linux',
        Name: 'fake',
        Warnings: [],
      }),
      version: async () => ({
        Version: '0.0.1',
        ApiVersion: '1.51',
        MinAPIVersion: '1.24',
        Os: 'linux',
        Arch: 'amd64',
      }),
    },
  };
  return {
    engine,
    calls,
    created,
    images,
    processOf: (name) => find(name).process,
    failNext: (call, error) => void failures.set(call, error),
  };
}

function nextExit(container: FakeContainer): Promise<unknown> {
  return container.process?.exited.then(() => container.lastExit) ?? Promise.resolve();
}

function prepare(container: FakeContainer): void {
  const begin = new Promise<void>((resolve) => {
    container.begin = resolve;
  });
  container.process = startFake(container.record.command, container.record.config.Tty ?? false, begin);
}

function newContainer(name: string, request: CreateRequest, image: ImageRecord): FakeContainer {
  const id = randomBytes(32).toString('hex');
  let markRemoved = (): void => undefined;
  const removed = new Promise<void>((resolve) => {
    markRemoved = resolve;
  });
  const { HostConfig, NetworkingConfig: _networking, ...config } = request.body;
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? image.config.Cmd ?? [])];
  const record: ContainerRecord = {
    id,
    name,
    created: nowText(),
    imageId: image.id,
    imageName: request.body.Image ?? '',
    platform: image.platform,
    config: { Hostname: id.slice(0, 12), ...config },
    hostConfig: { NetworkMode: 'bridge', ...HostConfig },
    networks: {},
    mounts: [],
    command,
    runtime: 'runc',
    logDriver: 'json-file',
    logOptions: {},
    state: {
      phase: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: ZERO_TIME,
      finishedAt: ZERO_TIME,
      restartCount: 0,
      stoppedByHand: false,
    },
    endpoints: [],
  };
  return { record, process: undefined, begin: () => undefined, removed, markRemoved, lastExit: undefined };
}

function viewOf(container: FakeContainer): ContainerView {
  const dir = `/var/lib/gantry/containers/${container.record.id}`;
  return {
    record: container.record,
    paths: {
      dir,
      resolvConf: `${dir}/resolv.conf`,
      hostname: `${dir}/hostname`,
      hosts: `${dir}/hosts`,
      log: `${dir}/${container.record.id}-json.log`,
      shm: '/shm',
      upper: `${dir}/rw/upper`,
      work: `${dir}/rw/work`,
    },
    execIds: [],
    lowerDirs: ['/var/lib/gantry/layers/1'],
  };
}

async function* logChunks(
  process: FakeProcess | undefined,
  follow: boolean,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (!process) return;
  const log = process.log();
  if (log.length > 0) yield log;
  if (!follow) return;
  const stream = process.attach({ logs: false, stream: true });
  signal.addEventListener('abort', () => stream.destroy());
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function fakeExecs(
  find: (ref: string) => FakeContainer,
  requireRunning: (container: FakeContainer) => FakeProcess,
  called: (call: string) => void,
): Execs {
  const execs = new Map<string, ExecRecord>();
  const get = (id: string): ExecRecord => {
    const record = execs.get(id);
    if (!record) throw failure('notFound', 'NO_SUCH_EXEC', `No such exec instance: ${id}`);
    return record;
  };
  return {
    async create(ref, request) {
      called('execs.create');
      const container = find(ref);
      requireRunning(container);
      const id = randomBytes(32).toString('hex');
      execs.set(id, { id, containerId: container.record.id, request, running: false, exitCode: null, pid: 0 });
      return id;
    },
    async start(id, request) {
      called('execs.start');
      const record = get(id);
      if (record.exitCode !== null || record.running) {
        throw failure('conflict', 'EXEC_ALREADY_RUN', `exec command ${id} has already run`);
      }
      const { command, tty } = record.request;
      if (command[0] === 'nope') {
        execs.set(id, { ...record, exitCode: 127 });
        const text =
          'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH';
        if (request.detach) throw failure('invalid', 'START_FAILED', text);
        const failed = startFake(['sleep'], tty, Promise.resolve()).attach({ logs: false, stream: true });
        failed.push(framed(`${text}\r\n`, tty));
        failed.push(null);
        return { tty, stream: failed };
      }
      execs.set(id, { ...record, running: true, pid: 4243 });
      let begin = (): void => undefined;
      const process = startFake(command, tty, new Promise<void>((resolve) => (begin = resolve)));
      const stream = process.attach({ logs: false, stream: true });
      void process.exited.then((exitCode) => execs.set(id, { ...get(id), running: false, exitCode }));
      begin();
      return request.detach ? undefined : { tty, stream };
    },
    inspect: get,
    async resize(id) {
      called('execs.resize');
      get(id);
    },
  };
}
