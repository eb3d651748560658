// The container capability on fakes: real records in a memory database, real volumes in a folder, fake shims, networks and images.

import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { DetachedMount } from '../../../host/mount/index.ts';
import { testFolder } from '../../../lib/testing/folder.ts';
import { limitTest } from '../../../lib/testing/limit.ts';
import type { ContainerCreateRequest } from '../../../spec/docker/types.gen.ts';
import { type Database, openDatabase } from '../../../store/database.ts';
import type { EngineEvent } from '../../events/types.ts';
import type { HealthState } from '../../health/types.ts';
import { createVolumes, type OwnedVolumes } from '../../volumes/index.ts';
import { type ContainerCapability, type ContainersDeps, createContainers } from '../index.ts';
import { ContainerRecords } from '../records.ts';
import type { ContainerId, ContainerRecord, ContainerState, Containers } from '../types.ts';
import { FakeImages, imagesOf } from './fake-images.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { FakeNetworks } from './fake-networks.ts';

type Published = Omit<EngineEvent, 'timeNano'>;

const FACTS: ContainersDeps['facts'] = {
  cpus: 2,
  support: { limits: new Set(['memory', 'swap', 'pids']), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
  cgroupVersion: 2,
  defaultRuntime: 'crun',
  runtimes: ['crun'],
  logDriver: 'json-file',
  logOptions: {},
};

/** Longest wait of a test for something that happens by itself. */
const PATIENCE_MS = 20_000;

export class Bench {
  readonly dir = testFolder('containers');
  /** Every step on a port and every published event, in order. */
  readonly steps: string[] = [];
  readonly events: Published[] = [];
  readonly log: string[] = [];
  readonly removed: string[] = [];
  readonly health = new Map<ContainerId, HealthState>();
  defaults: ReturnType<ContainersDeps['defaults']> = {};
  readonly db: Database = openDatabase(':memory:');
  readonly launcher: FakeLauncher;
  readonly networks: FakeNetworks;
  readonly images: FakeImages;
  readonly volumes: OwnedVolumes;
  records: ContainerRecords;
  capability: ContainerCapability;

  constructor() {
    const note = (step: string): void => void this.steps.push(step);
    for (const name of ['containers', 'volumes']) mkdirSync(join(this.dir, name));
    this.launcher = new FakeLauncher(this.dir, note);
    this.networks = new FakeNetworks(note);
    this.images = new FakeImages(note);
    this.records = new ContainerRecords(this.db);
    this.volumes = createVolumes({
      db: this.db,
      dir: join(this.dir, 'volumes'),
      publish: (event) => this.#publish(event),
      usersOf: (name) => this.records.ofVolume(name),
    });
    this.capability = this.#open();
  }

  get face(): Containers {
    return this.capability.face;
  }

  /** The events of one container, without those of its volumes. */
  actionsOf(id: ContainerId): readonly string[] {
    return this.events.filter(({ actorId }) => actorId === id).map(({ action }) => action);
  }

  stateOf(ref: string): ContainerState {
    return this.records.find(ref).state;
  }

  async create(name: string, body: ContainerCreateRequest = {}): Promise<ContainerId> {
    const { id } = await this.face.create({ name, body: { Image: 'busybox', ...body } });
    return id;
  }

  /** A container that was made and started. */
  async run(name: string, body: ContainerCreateRequest = {}): Promise<ContainerId> {
    const id = await this.create(name, body);
    await this.face.start(id);
    return id;
  }

  /** Resolves when it holds. Other work of this process goes on meanwhile. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const sinceMs = performance.now();
    while (!holds()) {
      if (performance.now() - sinceMs > PATIENCE_MS) throw new Error(`waited in vain: ${what}`);
      await setImmediate();
    }
  }

  untilPhase(id: ContainerId, phase: ContainerState['phase']): Promise<void> {
    return this.until(`${phase}`, () => this.records.byId(id)?.state.phase === phase);
  }

  /** The process ends with `code`; resolves when that is settled. */
  async exit(id: ContainerId, code: number, atUnixNs?: bigint): Promise<void> {
    const before = this.actionsOf(id).filter((action) => action === 'die').length;
    this.launcher.exit(id, code, atUnixNs);
    await this.until('die', () => this.actionsOf(id).filter((action) => action === 'die').length > before);
  }

  /** The daemon dies without a word, and another comes. Its recovery is the caller's. */
  async replace(): Promise<void> {
    await this.capability.close();
    this.records = new ContainerRecords(this.db);
    this.capability = this.#open();
    this.steps.length = 0;
    this.events.length = 0;
  }

  async close(): Promise<void> {
    await this.capability.close();
    this.records[Symbol.dispose]();
    this.db[Symbol.dispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The launcher's folder stands for a mount of the layers. */
  async #mount(access: string): Promise<DetachedMount> {
    this.steps.push(`mount ${access}`);
    const fd = openSync(this.launcher.rootfs, constants.O_RDONLY | constants.O_DIRECTORY);
    return {
      fd,
      [Symbol.asyncDispose]: async () => {
        closeSync(fd);
        this.steps.push('unmount');
      },
    };
  }

  #publish(event: Published): void {
    this.events.push(event);
    this.steps.push(`event ${event.type} ${event.action}`);
  }

  #open(): ContainerCapability {
    return createContainers({
      records: this.records,
      dir: join(this.dir, 'containers'),
      images: imagesOf(this.images),
      networks: this.networks,
      volumes: this.volumes,
      publish: (event) => this.#publish(event),
      launcher: this.launcher,
      rootfs: { open: (_parts, access) => this.#mount(access) },
      facts: FACTS,
      defaults: () => this.defaults,
      health: {
        started: ({ id }: ContainerRecord) =>
          void this.health.set(id, { status: 'starting', failingStreak: 0, log: [] }),
        stopped: (id) => void this.health.set(id, { status: 'unhealthy', failingStreak: 0, log: [] }),
        removed: (id) => void this.health.delete(id),
        of: (id) => this.health.get(id),
      },
      log: (level, message) => void this.log.push(`${level}: ${message}`),
      onRemoved: ({ name }) => void this.removed.push(name),
      execIds: () => ['exec-1'],
    });
  }
}

/** A bench that is closed, and its folder removed, with the test. */
export function openBench(t: TestContext): Bench {
  limitTest(t);
  const bench = new Bench();
  t.after(() => bench.close());
  return bench;
}
