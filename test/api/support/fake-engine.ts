// Owns an engine in memory for API tests: every face, no kernel. Keeps the rules that the API's answers show, no others.

import { EventEmitter } from 'node:events';
import type { CreateRequest } from '../../../src/engine/containers/types.ts';
import type { ImageRecord } from '../../../src/engine/images/types.ts';
import type { Engine } from '../../../src/engine/types.ts';
import { FakeContainerStore, fakeContainers } from './fake-containers.ts';
import { fakeExecs } from './fake-execs.ts';
import { fakeEvents, fakeFiles, fakeImage, fakeImages, fakeNetworks, fakeVolumes } from './fake-faces.ts';
import type { FakeProcess } from './fake-process.ts';

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
  const events = fakeEvents(bus);
  const store = new FakeContainerStore(events);
  const imageFace = fakeImages(images, called, events);
  const engine: Engine = {
    containers: fakeContainers(store, imageFace, created, called),
    execs: fakeExecs(store, called),
    files: fakeFiles((ref) => store.find(ref), called),
    images: imageFace,
    networks: fakeNetworks(),
    volumes: fakeVolumes(called),
    events,
    system: {
      info: async () => ({
        ID: 'fake',
        Containers: store.all().length,
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
    processOf: (name) => store.find(name).process,
    failNext: (call, error) => void failures.set(call, error),
  };
}
