// Owns the container face of the fake engine, and the containers that it holds.

import { randomBytes } from 'node:crypto';
import type { ContainerState, Containers, CreateRequest } from '../../../src/engine/containers/types.ts';
import type { Events } from '../../../src/engine/events/types.ts';
import type { Images } from '../../../src/engine/images/types.ts';
import { ZERO_TIME } from '../../../src/spec/time.ts';
import { type FakeContainer, logChunks, newContainer, nextExit, nowText, prepare, viewOf } from './fake-container.ts';
import { failure } from './fake-faces.ts';
import type { FakeProcess } from './fake-process.ts';

/** The containers of a fake engine, and what happens to them as events. */
export class FakeContainerStore {
  readonly #containers = new Map<string, FakeContainer>();
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  all(): readonly FakeContainer[] {
    return [...this.#containers.values()];
  }

  add(container: FakeContainer): void {
    this.#containers.set(container.record.id, container);
  }

  /** By id, name or unique prefix of an id. @throws NO_SUCH_CONTAINER, AMBIGUOUS */
  find(ref: string): FakeContainer {
    const name = ref.replace(/^\//, '');
    const exact = this.all().find(({ record }) => record.id === name || record.name === name);
    if (exact) return exact;
    const matches = this.all().filter(({ record }) => record.id.startsWith(name));
    const [only] = matches;
    if (only && matches.length === 1) return only;
    if (only) throw failure('invalid', 'AMBIGUOUS_ID', `multiple IDs found with provided prefix: ${name}`);
    throw failure('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`);
  }

  /** @throws CONTAINER_NOT_RUNNING */
  requireRunning(container: FakeContainer): FakeProcess {
    if (container.process && container.record.state.phase === 'running') return container.process;
    throw failure('conflict', 'CONTAINER_NOT_RUNNING', `container ${container.record.id} is not running`);
  }

  setState(container: FakeContainer, state: Partial<ContainerState>): void {
    container.record = { ...container.record, state: { ...container.record.state, ...state } };
  }

  publish({ record }: FakeContainer, action: string, more: Record<string, string> = {}): void {
    const attributes = { image: record.imageName, name: record.name, ...record.config.Labels, ...more };
    this.#events.publish({ type: 'container', action, actorId: record.id, attributes });
  }

  drop(container: FakeContainer): void {
    this.#containers.delete(container.record.id);
    this.publish(container, 'destroy');
    container.markRemoved();
  }
}

/** The face over `store`; every request to create is added to `created`. */
export function fakeContainers(
  store: FakeContainerStore,
  images: Images,
  created: CreateRequest[],
  called: (call: string) => void,
): Containers {
  return {
    async create(request) {
      called('containers.create');
      created.push(request);
      const name = request.name ?? `fake_${randomBytes(4).toString('hex')}`;
      const image = images.get(request.body.Image ?? '');
      for (const { record } of store.all()) {
        if (record.name === name) {
          const text = `Conflict. The container name "/${name}" is already in use by container "${record.id}". You have to remove (or rename) that container to be able to reuse that name.`;
          throw failure('conflict', 'CONTAINER_NAME_TAKEN', text);
        }
      }
      const container = newContainer(name, request, image);
      prepare(container);
      store.add(container);
      store.publish(container, 'create');
      return { id: container.record.id, warnings: [] };
    },
    async start(ref) {
      called('containers.start');
      const container = store.find(ref);
      if (container.record.state.phase === 'running')
        throw failure('notModified', 'ALREADY_RUNNING', 'container already running');
      if (container.record.state.phase === 'exited') prepare(container);
      store.setState(container, { phase: 'running', pid: 4242, startedAt: nowText(), finishedAt: ZERO_TIME });
      store.publish(container, 'start');
      const process = container.process as FakeProcess;
      container.lastExit = process.exited.then((exitCode) => {
        store.setState(container, { phase: 'exited', pid: 0, exitCode, finishedAt: nowText() });
        store.publish(container, 'die', { exitCode: String(exitCode) });
        if (container.record.hostConfig.AutoRemove) store.drop(container);
        return exitCode;
      });
      container.begin();
    },
    async stop(ref) {
      called('containers.stop');
      const container = store.find(ref);
      if (container.record.state.phase !== 'running') throw failure('notModified', 'ALREADY_STOPPED', 'not running');
      container.process?.kill(9);
      await container.lastExit;
    },
    async restart(ref) {
      called('containers.restart');
      const container = store.find(ref);
      if (container.record.state.phase === 'running') {
        container.process?.kill(9);
        await container.lastExit;
      }
      await this.start(ref);
    },
    async kill(ref, signal) {
      called('containers.kill');
      if (signal === 'foo') throw failure('invalid', 'INVALID_SIGNAL', `invalid signal: ${signal}`);
      store.requireRunning(store.find(ref)).kill(signal === 'TERM' ? 15 : 9);
    },
    async pause(ref) {
      called('containers.pause');
      const container = store.find(ref);
      store.requireRunning(container);
      store.setState(container, { phase: 'paused' });
    },
    async unpause(ref) {
      called('containers.unpause');
      const container = store.find(ref);
      if (container.record.state.phase !== 'paused') {
        throw failure('system', 'NOT_PAUSED', `Container ${container.record.id} is not paused`);
      }
      store.setState(container, { phase: 'running' });
    },
    async rename(ref, newName) {
      called('containers.rename');
      const container = store.find(ref);
      container.record = { ...container.record, name: newName };
    },
    async remove(ref, options) {
      called('containers.remove');
      const container = store.find(ref);
      if (container.record.state.phase === 'running') {
        const text = `cannot remove container "${container.record.name}": container is running: stop the container before removing or force remove`;
        if (!options.force) throw failure('conflict', 'CONTAINER_STILL_RUNNING', text);
        container.process?.kill(9);
        await container.lastExit;
      }
      store.drop(container);
    },
    async prune() {
      called('containers.prune');
      return { ids: [], reclaimedBytes: 0 };
    },
    async wait(ref, condition, ready, signal) {
      called('containers.wait');
      const container = store.find(ref);
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
      const container = store.find(ref);
      if (container.record.state.phase === 'exited') prepare(container);
      const process = container.process as FakeProcess;
      return { tty: container.record.config.Tty ?? false, stream: process.attach(request) };
    },
    async logs(ref, request, signal) {
      called('containers.logs');
      const container = store.find(ref);
      const process = container.process;
      const tty = container.record.config.Tty ?? false;
      return { tty, chunks: logChunks(process, request.follow, signal) };
    },
    async resize(ref) {
      called('containers.resize');
      store.requireRunning(store.find(ref));
    },
    async top(ref) {
      called('containers.top');
      store.requireRunning(store.find(ref));
      return { titles: ['PID', 'CMD'], processes: [['4242', 'fake']] };
    },
    view: (ref) => viewOf(store.find(ref)),
    list(filter) {
      called('containers.list');
      const all = [...store.all()].reverse().map(viewOf);
      const names = filter.filters.get('name');
      return all
        .filter(({ record }) => filter.all || record.state.phase === 'running')
        .filter(({ record }) => !names || names.some((name) => record.name.includes(name)))
        .slice(0, filter.limit);
    },
    size: async () => ({ sizeRwBytes: 0, sizeRootFsBytes: 2_066_620 }),
  };
}
