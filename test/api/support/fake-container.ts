// Owns one container of the fake engine: its record, its process and its views. Knows no other container.

import { randomBytes } from 'node:crypto';
import type { ContainerRecord, ContainerView, CreateRequest } from '../../../src/engine/containers/types.ts';
import type { ImageRecord } from '../../../src/engine/images/types.ts';
import { formatRfc3339, ZERO_TIME } from '../../../src/spec/time.ts';
import { type FakeProcess, startFake } from './fake-process.ts';

export interface FakeContainer {
  record: ContainerRecord;
  process: FakeProcess | undefined;
  begin: () => void;
  removed: Promise<void>;
  markRemoved: () => void;
  lastExit: Promise<number> | undefined;
}

export function nowText(): string {
  return formatRfc3339(BigInt(Date.now()) * 1_000_000n);
}

/** Resolves when the present process has ended and its state is settled. */
export function nextExit(container: FakeContainer): Promise<unknown> {
  return container.process?.exited.then(() => container.lastExit) ?? Promise.resolve();
}

/** Makes a process that waits for `begin`. */
export function prepare(container: FakeContainer): void {
  const begin = new Promise<void>((resolve) => {
    container.begin = resolve;
  });
  container.process = startFake(container.record.command, container.record.config.Tty ?? false, begin);
}

export function newContainer(name: string, request: CreateRequest, image: ImageRecord): FakeContainer {
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

export function viewOf(container: FakeContainer): ContainerView {
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

export async function* logChunks(
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
