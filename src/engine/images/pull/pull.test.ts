// Checks `docker pull` against a registry on this machine: the order of its steps, what it tells, and what stays when one fails.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../../../lib/errors.ts';
import { Semaphore } from '../../../lib/semaphore.ts';
import { RegistryClient } from '../../../remote/index.ts';
import { type FakeRegistry, fail, openFakeRegistry } from '../../../remote/testing/fake-registry.ts';
import type { Digest } from '../../../spec/digest.ts';
import { MEDIA } from '../../../spec/oci/manifest.ts';
import { hostPlatform } from '../../../spec/platform.ts';
import { digestOf } from '../../../store/blobs.ts';
import { type ImageBench, imageNamed, openImageBench } from '../testing/image-bench.ts';
import { type BuiltImage, imageOf, layerOf, tarOf } from '../testing/made-images.ts';
import type { ImageRecord, PullRequest } from '../types.ts';
import { pullImage } from './pull.ts';

const APP = imageOf(['base', 'app'].map((name) => layerOf(tarOf({ name, data: name }))));
const [base, top] = APP.layers.map(({ diffId }) => diffId) as [Digest, Digest];
const lineOf = (image: BuiltImage, layer: number): string =>
  image.layers[layer]?.blobDigest.slice('sha256:'.length, 'sha256:'.length + 12) ?? '';

interface Pulling extends AsyncDisposable {
  readonly bench: ImageBench;
  readonly registry: FakeRegistry;
  pull(name: string, request?: Partial<PullRequest>, signal?: AbortSignal): Promise<ImageRecord>;
  /** `<id>: <status>` of every line without a count, in order. */
  lines(): string[];
  /** Requests for what is not a manifest. */
  blobRequests(): number;
}

async function openPulling(slots = 3): Promise<Pulling> {
  const registry = await openFakeRegistry();
  const bench = openImageBench();
  const options = {
    mirrors: [`http://${registry.host}`],
    insecure: [],
    maxConcurrentDownloads: slots,
    maxDownloadAttempts: 2,
  };
  const client = new RegistryClient(options, { userAgent: 'x', timeouts: { answerMs: 5_000, stallMs: 5_000 } });
  const shared = new Semaphore(slots);
  return {
    bench,
    registry,
    pull(name, request = {}, signal = new AbortController().signal) {
      const control = { report: bench.report, signal, slots: shared, retryPauseMs: 1 };
      return pullImage(bench.context, client, { reference: `${registry.host}/${name}`, ...request }, control);
    },
    lines: () =>
      bench.progress
        .filter(({ current }) => current === undefined)
        .map(({ id, status }) => `${id ?? ''}: ${status}`.replaceAll(registry.host, 'R')),
    blobRequests: () => registry.seen.filter(({ url }) => url.includes('/blobs/')).length,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
    },
  };
}

/** True when nothing of any image is there, and nothing is held for one. */
async function isEmpty({ bench: { context, layers, kept } }: Pulling): Promise<boolean> {
  const noLayers = APP.layers.every(({ diffId }) => !layers.get(diffId)) && layers.holds.size === 0;
  return noLayers && context.records.allStored().length === 0 && (await kept()).length === 0;
}

test('a pull tells its steps in Docker’s words, and the image is there with its tag and its digest', async () => {
  await using p = await openPulling(1);
  p.registry.push('app', '1', APP);
  const image = await p.pull('app:1');
  const [a, b] = [lineOf(APP, 0), lineOf(APP, 1)];
  assert.deepEqual(p.lines(), [
    '1: Pulling from app',
    `${a}: Pulling fs layer`,
    `${b}: Pulling fs layer`,
    `${b}: Waiting`,
    ...[a, b].flatMap((id) => ['Verifying Checksum', 'Download complete', 'Pull complete'].map((w) => `${id}: ${w}`)),
    `: Digest: ${APP.manifestDigest}`,
    ': Status: Downloaded newer image for R/app:1',
  ]);
  const { host } = p.registry;
  assert.deepEqual([image.repoTags, image.repoDigests], [[`${host}/app:1`], [`${host}/app@${APP.manifestDigest}`]]);
  assert.deepEqual(p.bench.events(), [`pull ${host}/app:1 ${host}/app`]);
  assert.deepEqual(await p.bench.kept(), [APP.id, APP.manifestDigest].sort());
  assert.equal(p.bench.layers.holds.size, 0);
});

test('a second pull is up to date: no blob is asked for, and nothing is told of layers', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1');
  const asked = p.blobRequests();
  p.bench.progress.length = 0;
  await p.pull('app:1');
  assert.equal(p.blobRequests(), asked);
  assert.deepEqual(p.lines(), [
    '1: Pulling from app',
    `: Digest: ${APP.manifestDigest}`,
    ': Status: Image is up to date for R/app:1',
  ]);
});

test('a damaged layer of an image that is here is fetched again, and only that', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1');
  p.bench.layers.damage(top, 'a file is gone');
  p.bench.progress.length = 0;
  await p.pull('app:1');
  assert.ok(p.lines().includes(`${lineOf(APP, 0)}: Already exists`));
  assert.ok(p.lines().includes(`${lineOf(APP, 1)}: Pull complete`));
  assert.equal(await p.bench.layers.isWhole(top), true);
});

test('a configuration that the disk has lost is fetched again', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1');
  await p.bench.blobs.remove(APP.id);
  await p.pull('app:1');
  assert.deepEqual(await p.bench.blobs.read(APP.id), APP.config);
});

test('a tag that moved at the registry moves here, and the old image stays without it', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1');
  const newer = imageNamed('newer');
  p.registry.push('app', '1', newer);
  assert.equal((await p.pull('app:1')).id, newer.id);
  assert.ok(p.lines().at(-1)?.includes('Downloaded newer image'));
  assert.deepEqual(p.bench.context.find(APP.id).repoTags, []);
});

test('by digest only the digest is named, also where a tag stands before it', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  const image = await p.pull(`app:1@${APP.manifestDigest}`);
  assert.deepEqual([image.repoTags, image.repoDigests.length], [[], 1]);
});

test('all tags are pulled, one after the other; a repository without tags says so', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  p.registry.push('app', '2', imageNamed('two'));
  await p.pull('app', { allTags: true });
  const { host } = p.registry;
  const tags = p.bench.context.records.all().flatMap(({ repoTags }) => repoTags);
  assert.deepEqual(tags.sort(), [`${host}/app:1`, `${host}/app:2`]);
  await assert.rejects(p.pull('none', { allTags: true }), /manifest for .*\/none not found: manifest unknown: no tags/);
});

/** Pushes an index with the entries as `app:1`; gives its digest. */
function pushIndex(registry: FakeRegistry, entries: readonly object[], tag = '1'): Digest {
  const manifests = entries.map((entry) => ({ mediaType: MEDIA.ociManifest, size: 1, ...entry }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }));
  for (const reference of [tag, digestOf(bytes)]) registry.pushManifest('app', reference, bytes, MEDIA.ociIndex);
  return digestOf(bytes);
}

test('of an index the image for this host is pulled, and named by the digest of the index', async () => {
  await using p = await openPulling();
  const other = imageNamed('other');
  for (const image of [APP, other]) p.registry.push('app', 'x', image);
  const digest = pushIndex(p.registry, [
    { digest: other.manifestDigest, platform: { os: 'linux', architecture: 'mips' } },
    { digest: APP.manifestDigest, platform: hostPlatform() },
  ]);
  const image = await p.pull('app:1');
  assert.equal(image.id, APP.id);
  assert.deepEqual(image.repoDigests, [`${p.registry.host}/app@${digest}`]);
  // The index and the manifest are kept, so that nothing has to be asked again.
  assert.deepEqual(await p.bench.kept(), [APP.id, APP.manifestDigest, digest].sort());
  const none = p.pull('app:1', { platform: { os: 'linux', architecture: 's390x' } });
  await assert.rejects(none, /no matching manifest for linux\/s390x in the manifest list entries/);
});

test('an image of another platform than asked for is pulled with a warning', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1', { platform: { os: 'linux', architecture: 's390x' } });
  assert.match(p.lines().at(-1) ?? '', /WARNING: image with reference R\/app:1 .*\(linux\/s390x\)/);
});

/** What a registry serves as `app:1`, and how the pull ends. */
const REFUSED: readonly (readonly [string, (registry: FakeRegistry) => void, string, RegExp])[] = [
  ['nothing', () => {}, 'MANIFEST_UNKNOWN', /manifest for .*\/app:1 not found/],
  [
    'a manifest that is none',
    (r) => r.pushManifest('app', '1', Buffer.from('[]'), MEDIA.ociManifest),
    'BAD_MANIFEST',
    /./,
  ],
  [
    'an index that holds itself over and over',
    (r) => {
      let digest = pushIndex(r, [{ digest: APP.manifestDigest }], '0');
      for (let i = 0; i < 5; i++) digest = pushIndex(r, [{ mediaType: MEDIA.ociIndex, digest }]);
    },
    'BAD_MANIFEST',
    /indexes are nested too deeply/,
  ],
  ['an image of another system', (r) => r.push('app', '1', imageOf([], { os: 'windows' })), 'WRONG_OS', /windows/],
  [
    'an image with more layers than its configuration says',
    (r) => {
      const { config, id } = imageOf(APP.layers.slice(1));
      const manifest = Buffer.from(APP.manifest.toString().replace(APP.id, id));
      r.push('app', '1', { ...APP, manifest, config, id });
    },
    'BAD_MANIFEST',
    /layers from manifest don't match image configuration/,
  ],
  [
    'a layer with other bytes',
    (r) => {
      r.push('app', '1', APP);
      r.blobs.set(APP.layers[1]?.blobDigest ?? '', Buffer.alloc(APP.layers[1]?.blob.length ?? 0));
    },
    'DIGEST_MISMATCH',
    /filesystem layer verification failed/,
  ],
];

for (const [what, serve, code, words] of REFUSED) {
  test(`a pull from a registry that serves ${what} says so, and leaves nothing`, async () => {
    await using p = await openPulling();
    serve(p.registry);
    const isSaid = (error: unknown): boolean =>
      isGantryError(error) && error.code === code && words.test(error.message);
    await assert.rejects(p.pull('app:1'), isSaid);
    assert.ok(await isEmpty(p));
    assert.deepEqual(p.bench.events(), []);
  });
}

test('a mirror of Docker Hub serves its images under their own name, and never sees a password', async () => {
  await using p = await openPulling();
  p.registry.push('library/nginx', '1', APP);
  const image = await p.pull('', { reference: 'nginx:1', credentials: { registryToken: 'secret' } });
  assert.deepEqual(image.repoTags, ['nginx:1']);
  assert.ok(p.registry.seen.length > 0 && p.registry.seen.every(({ authorization }) => authorization === undefined));
});

test('a registry of one’s own is shown the credentials that were given for it', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  await p.pull('app:1', { credentials: { registryToken: 'secret' } });
  assert.equal(p.registry.seen.at(-1)?.authorization, 'Bearer secret');
});

test('a sweep in the midst of a pull takes neither its layers nor what describes the image', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  const put = p.bench.blobs.put;
  Object.assign(p.bench.blobs, {
    put: async (bytes: Uint8Array, expected?: Digest) => {
      const digest = await put(bytes, expected);
      await p.bench.context.sweep();
      return digest;
    },
  });
  await p.pull('app:1');
  assert.ok(p.bench.layers.get(base) && p.bench.layers.get(top));
  assert.deepEqual(await p.bench.kept(), [APP.id, APP.manifestDigest].sort());
});

test('a pull that finds no room for a layer, or for what describes the image, leaves nothing', async () => {
  const full = new GantryError('exhausted', 'NO_SPACE', 'full');
  for (const breakIt of [
    (bench: ImageBench) => void bench.layers.failures.set('unpack', full),
    (bench: ImageBench) => {
      bench.failPut = full;
    },
  ]) {
    await using p = await openPulling();
    p.registry.push('app', '1', APP);
    breakIt(p.bench);
    await assert.rejects(p.pull('app:1'), (error) => isGantryError(error, 'exhausted'));
    assert.ok(await isEmpty(p));
  }
});

test('the first layer that fails stops the others, and its failure is what is told', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  let closed = false;
  p.registry.misbehave = (request, response) => {
    if (request.url?.includes(APP.layers[0]?.blobDigest ?? '')) {
      response.writeHead(200, { 'Content-Length': 1000 }).write('slow');
      response.on('close', () => {
        closed = true;
      });
      return true;
    }
    if (!request.url?.includes(APP.layers[1]?.blobDigest ?? '')) return false;
    setTimeout(() => fail(response, 403, 'DENIED', 'not yours'), 20);
    return true;
  };
  await assert.rejects(p.pull('app:1'), /pull access denied for .*: denied: not yours/);
  for (let i = 0; i < 1000 && !closed; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(closed);
  assert.ok(!p.lines().some((line) => line.includes('Retrying')), 'nor is it tried again');
  assert.ok(await isEmpty(p));
});

test('a pull that is called off says so and leaves nothing', async () => {
  await using p = await openPulling();
  p.registry.push('app', '1', APP);
  const stop = new AbortController();
  p.registry.misbehave = (request, response) => {
    if (!request.url?.includes(APP.layers[0]?.blobDigest ?? '')) return false;
    response.writeHead(200, { 'Content-Length': 1000 }).write('slow');
    setTimeout(() => stop.abort(), 20);
    return true;
  };
  await assert.rejects(p.pull('app:1', {}, stop.signal), (error) => isGantryError(error, 'cancelled'));
  assert.ok(await isEmpty(p));
});

test('two pulls of images that share a layer fetch it once', async () => {
  await using p = await openPulling();
  const other = imageOf([...APP.layers.slice(0, 1), layerOf(tarOf({ name: 'other' }))]);
  p.registry.push('app', '1', APP);
  p.registry.push('other', '1', other);
  await Promise.all([p.pull('app:1'), p.pull('other:1')]);
  const url = APP.layers[0]?.blobDigest ?? '';
  assert.equal(p.registry.seen.filter((seen) => seen.url.endsWith(url)).length, 1);
  assert.ok(p.bench.layers.get(base));
});

test('a failed pull takes nothing away from an image that was here', async () => {
  await using p = await openPulling();
  await p.bench.add(APP, 'mine:1');
  p.registry.push('app', '1', imageOf([...APP.layers.slice(0, 1), layerOf(tarOf({ name: 'lost' }))]));
  p.registry.blobs.delete(layerOf(tarOf({ name: 'lost' })).blobDigest);
  await assert.rejects(p.pull('app:1'), /unknown blob/);
  assert.ok(p.bench.layers.get(base) && p.bench.layers.get(top));
  assert.deepEqual(await p.bench.kept(), [APP.id]);
});
