// Owns the faces of the in-memory engine that keep no containers: images, networks, volumes, events. For API tests.

import { randomBytes } from 'node:crypto';
import { type EventEmitter, on } from 'node:events';
import { Readable } from 'node:stream';
import type { EngineEvent, Events } from '../../../src/engine/events/types.ts';
import type { ContainerFiles, FileStat } from '../../../src/engine/files/types.ts';
import type { ImageRecord, Images } from '../../../src/engine/images/types.ts';
import type { NetworkRecord, Networks } from '../../../src/engine/networks/types.ts';
import type { VolumeRecord, Volumes } from '../../../src/engine/volumes/types.ts';
import { type ErrorCode, type ErrorKind, GantryError } from '../../../src/lib/errors.ts';
import { digestOfHex } from '../../../src/spec/digest.ts';

const HEX = 'ae159405235f98a820194d28a0056d66690cc5cabc475fe64ff9b1e1b258f7d6';
const CREATED = '2026-11-24T02:40:20.506391801Z';

export function fakeImage(tag: string, hex = HEX): ImageRecord {
  return {
    id: digestOfHex(hex),
    repoTags: [tag],
    repoDigests: [],
    created: CREATED,
    platform: { os: 'linux', architecture: 'amd64' },
    author: '',
    comment: 'Imported from -',
    dockerVersion: '28.5.2+dfsg4',
    sizeBytes: 2_066_620,
    config: { Cmd: ['sh'] },
    diffIds: [digestOfHex('b357c4f291adf05e18a8129307000b1d12c8225132c0319ac34fd09d5e00b0b6')],
    history: [{ created: CREATED, comment: 'Imported from -' }],
    lastTagTime: '2026-11-24T02:40:20.507804021Z',
  };
}

/** A failure in Docker's words. */
export function failure(kind: ErrorKind, code: ErrorCode, message: string): GantryError {
  return new GantryError(kind, code, message);
}

export function fakeEvents(bus: EventEmitter): Events {
  const ring: EngineEvent[] = [];
  return {
    publish(event) {
      const full = { ...event, timeNano: BigInt(Date.now()) * 1_000_000n };
      ring.push(full);
      bus.emit('event', full);
    },
    async *subscribe(query, signal) {
      const { since } = query;
      if (since !== undefined) yield* ring.filter((event) => event.timeNano >= since);
      if (query.until !== undefined && query.until < BigInt(Date.now()) * 1_000_000n) return;
      try {
        for await (const [event] of on(bus, 'event', { signal })) yield event as EngineEvent;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Every container holds one file, `/file`; folders `/` and `/tmp` take anything. */
export function fakeFiles(find: (ref: string) => unknown, called: (call: string) => void): ContainerFiles {
  const statOf = (ref: string, path: string): FileStat => {
    find(ref);
    if (path !== '/file') {
      throw failure('notFound', 'NO_SUCH_FILE', `Could not find the file ${path} in container ${ref}`);
    }
    return { name: 'file', sizeBytes: 5, mode: 0o644, mtimeNano: 1_500_000_000_000_000_000n, linkTarget: '' };
  };
  return {
    stat: async (ref, path) => statOf(ref, path),
    read: async (ref, path) => ({ stat: statOf(ref, path), archive: Readable.from([Buffer.from('a tar')]) }),
    async write(ref, { path }, archive) {
      find(ref);
      let bytes = 0;
      for await (const piece of archive) bytes += piece.length;
      called(`files.write ${path} ${bytes}`);
    },
  };
}

export function fakeImages(images: ImageRecord[], called: (call: string) => void, events: Events): Images {
  const get = (ref: string): ImageRecord => {
    if (/[A-Z]/.test(ref)) {
      const text = `invalid reference format: repository name (library/${ref}) must be lowercase`;
      throw failure('invalid', 'INVALID_REFERENCE', text);
    }
    const named = /[:@]/.test(ref.slice(ref.lastIndexOf('/') + 1)) ? ref : `${ref}:latest`;
    const image = images.find(
      ({ id, repoTags }) => repoTags.includes(named) || id === ref || id.slice(7).startsWith(ref),
    );
    if (!image || ref === '') throw failure('notFound', 'NO_SUCH_IMAGE', `No such image: ${named}`);
    return image;
  };
  const collect = async (archive: AsyncIterable<Uint8Array>): Promise<number> => {
    let bytes = 0;
    for await (const chunk of archive) bytes += chunk.length;
    return bytes;
  };
  return {
    get,
    list: () => images,
    layerPaths: () => ['/var/lib/gantry/layers/1'],
    layerSizes: (id) => images.filter((image) => image.id === id).map(({ sizeBytes }) => sizeBytes),
    usage: () => ({
      layersBytes: images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      sharedBytes: new Map(),
    }),
    matches: () => true,
    async pull({ reference }, report) {
      called('images.pull');
      const [repository = '', tag = 'latest'] = reference.split(':');
      if (repository === 'missing')
        throw failure('notFound', 'MANIFEST_UNKNOWN', `manifest for ${reference} not found: manifest unknown`);
      report({ status: `Pulling from ${repository}`, id: tag });
      report({ status: 'Pulling fs layer', id: 'aaaaaaaaaaaa', phase: true });
      report({ status: 'Downloading', id: 'aaaaaaaaaaaa', current: 1_200_000, total: 3_000_000 });
      if (repository === 'broken') throw failure('system', 'REGISTRY_FAILED', 'unexpected <EOF>');
      report({ status: 'Pull complete', id: 'aaaaaaaaaaaa', phase: true });
      report({ status: `Status: Downloaded newer image for ${reference}` });
      const image = fakeImage(`${repository}:${tag}`, randomBytes(32).toString('hex'));
      images.push(image);
      events.publish({
        type: 'image',
        action: 'pull',
        actorId: `${repository}:${tag}`,
        attributes: { name: repository },
      });
      return image;
    },
    async load(archive, report) {
      called('images.load');
      const bytes = await collect(archive);
      report({ status: '', stream: `Loaded image: bytes:${bytes}\n` });
      return [`bytes:${bytes}`];
    },
    async import(archive, request, report) {
      called('images.import');
      await collect(archive);
      const image = fakeImage(request.reference ?? 'none:none', randomBytes(32).toString('hex'));
      images.push(image);
      report({ status: image.id });
      return image;
    },
    async *save(refs) {
      called('images.save');
      for (const ref of refs) yield Buffer.from(get(ref).id);
    },
    async tag(source, target) {
      called('images.tag');
      const image = get(source);
      images[images.indexOf(image)] = { ...image, repoTags: [...image.repoTags, target] };
    },
    async remove(ref) {
      called('images.remove');
      images.splice(images.indexOf(get(ref)), 1);
      return [{ untagged: ref }];
    },
    async prune() {
      called('images.prune');
      return { removed: [], reclaimedBytes: 0 };
    },
    lease: async () => ({ layersDir: '/layers', lowerDirs: [], [Symbol.asyncDispose]: async () => undefined }),
    login: async () => ({ status: 'Login Succeeded', identityToken: '' }),
    async search({ term, limit }) {
      called('images.search');
      const names = [
        { name: term, stars: 3, official: true },
        { name: `of ${limit}`, stars: 0, official: false },
      ];
      return names.map((result) => ({ ...result, description: '' }));
    },
  };
}

export function fakeNetworks(): Networks {
  const network = (name: string, driver: NetworkRecord['driver'], ipam: NetworkRecord['ipam']): NetworkRecord => ({
    id: Buffer.from(name.padEnd(32, '.')).toString('hex'),
    name,
    driver,
    created: CREATED,
    internal: false,
    enableIPv6: false,
    labels: {},
    options: {},
    ipam,
    bridgeName: driver === 'bridge' ? 'gantry0' : '',
  });
  const all = [
    network('bridge', 'bridge', [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]),
    network('host', 'host', []),
    network('none', 'null', []),
  ];
  return {
    get(ref) {
      if (ref === '') {
        const message = 'network  is ambiguous (3 matches found based on ID prefix)';
        throw failure('invalid', 'NETWORK_AMBIGUOUS', message);
      }
      const found = all.find(({ id, name }) => name === ref || id.startsWith(ref));
      if (!found) throw failure('notFound', 'NETWORK_NOT_FOUND', `network ${ref} not found`);
      return found;
    },
    list: () => all,
    endpointsOf: () => [],
    connect: () => Promise.reject(new Error('not in the fake')),
    disconnect: async () => undefined,
    recover: async () => undefined,
    warnings: () => [],
    close: async () => undefined,
    teardown: async () => undefined,
  };
}

export function fakeVolumes(called: (call: string) => void): Volumes {
  const volumes = new Map<string, VolumeRecord>();
  return {
    async create(request) {
      called('volumes.create');
      const name = request.name ?? randomBytes(32).toString('hex');
      const volume: VolumeRecord = {
        name,
        driver: 'local',
        created: CREATED,
        labels: request.labels ?? {},
        options: request.options ?? {},
        mountpoint: `/var/lib/gantry/volumes/${name}/_data`,
        anonymous: request.name === undefined,
      };
      volumes.set(name, volumes.get(name) ?? volume);
      return volumes.get(name) as VolumeRecord;
    },
    get(name) {
      const volume = volumes.get(name);
      if (!volume) throw failure('notFound', 'NO_SUCH_VOLUME', `get ${name}: no such volume`);
      return volume;
    },
    list: () => [...volumes.values()],
    async remove(name, force) {
      if (!force) this.get(name);
      volumes.delete(name);
    },
    prune: async () => ({ names: [], reclaimedBytes: 0 }),
  };
}
