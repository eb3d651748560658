// Archives load from every layout and compression, or fail whole.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isGantryError } from '../../src/lib/errors.ts';
import { digestOf } from '../../src/store/blobs.ts';
import { archiveOf, collect, imageOf, inPieces, layerOf, NEVER, openWorkbench, streamOf, tarOf } from './support.ts';

const LAYER = layerOf(tarOf({ name: 'bin/sh', data: 'x'.repeat(100_000), mode: 0o755 }));
const IMAGE = imageOf([LAYER]);
const ARCHIVE = archiveOf([{ image: IMAGE, tags: ['demo:1', 'demo:2'] }]);

test('a docker-archive loads with its tags, whatever is around it', async () => {
  const wrappers: readonly (readonly [string, Buffer])[] = [
    ['plain', ARCHIVE],
    ['gzip', gzipSync(ARCHIVE)],
    ['zstd', zstdCompressSync(ARCHIVE)],
    ['xz', execFileSync('xz', ['-c', '-0'], { input: ARCHIVE, maxBuffer: 1 << 26 })],
    ['bzip2', execFileSync('bzip2', ['-c', '-1'], { input: ARCHIVE, maxBuffer: 1 << 26 })],
  ];
  for (const [what, bytes] of wrappers) {
    await using bench = openWorkbench();
    assert.deepEqual(await bench.images.load(inPieces(bytes, 7000), bench.report, NEVER), ['demo:1', 'demo:2'], what);
    const record = bench.images.get('demo:1');
    assert.equal(record.id, IMAGE.id);
    assert.deepEqual(record.repoTags, ['demo:1', 'demo:2']);
    assert.deepEqual(record.config.Cmd, ['sh']);
    assert.equal(record.sizeBytes, 100_000);
    assert.deepEqual(
      bench.progress.flatMap(({ stream }) => stream ?? []),
      ['Loaded image: demo:1\n', 'Loaded image: demo:2\n'],
    );
    assert.ok(bench.progress.some(({ status, id }) => status === 'Loading layer' && id === LAYER.diffId.slice(7, 19)));
    assert.deepEqual(
      bench.events.map(({ action, actorId, attributes }) => ({ action, actorId, attributes })),
      [{ action: 'load', actorId: IMAGE.id, attributes: { l: '1', name: IMAGE.id } }],
    );
  }
});

test('the old layout loads, with layers shared by symlink', async () => {
  await using bench = openWorkbench();
  const archive = tarOf(
    { name: 'one/layer.tar', data: LAYER.tar },
    { name: 'two/layer.tar', type: 'symlink', linkName: '../one/layer.tar' },
    { name: 'config.json', data: imageOf([LAYER, LAYER]).config },
    {
      name: 'manifest.json',
      data: JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers: ['one/layer.tar', 'two/layer.tar'] }]),
    },
  );
  const loaded = await bench.images.load(streamOf(archive), bench.report, NEVER);
  assert.deepEqual(loaded, [imageOf([LAYER, LAYER]).id]);
  assert.deepEqual(bench.progress.at(-1)?.stream, `Loaded image ID: ${loaded[0]}\n`);
});

test('an OCI layout loads, names and platform chosen by its index', async () => {
  await using bench = openWorkbench();
  const foreign = imageOf([LAYER], { architecture: 'mips' });
  const platforms = [
    { image: foreign, platform: { os: 'linux', architecture: 'mips' } },
    { image: IMAGE, platform: JSON.parse(IMAGE.config.toString()) as object },
  ];
  const inner = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: platforms.map(({ image, platform }) => ({
        digest: image.manifestDigest,
        size: image.manifest.length,
        platform,
      })),
    }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest: digestOf(inner),
        size: inner.length,
        annotations: { 'org.opencontainers.image.ref.name': 'q.io/demo:oci' },
      },
    ],
  };
  const blob = (data: Buffer) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data });
  const archive = tarOf(
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: JSON.stringify(index) },
    ...[inner, IMAGE.manifest, foreign.manifest, IMAGE.config, foreign.config, LAYER.blob].map(blob),
  );
  assert.deepEqual(await bench.images.load(streamOf(archive), bench.report, NEVER), ['q.io/demo:oci']);
  assert.equal(bench.images.get('q.io/demo:oci').id, IMAGE.id);
});

test('cut archives are refused and leave nothing', async () => {
  await using bench = openWorkbench();
  const gz = gzipSync(ARCHIVE);
  const cuts = [
    ARCHIVE.subarray(0, 100),
    ARCHIVE.subarray(0, 3000),
    ARCHIVE.subarray(0, 60_000),
    gz.subarray(0, gz.length - 20),
  ];
  for (const bytes of cuts) {
    await assert.rejects(
      bench.images.load(streamOf(bytes), bench.report, NEVER),
      (error: unknown) => isGantryError(error, 'invalid') && error.message === 'unexpected EOF',
    );
    assert.deepEqual(bench.leftovers(), []);
  }
});

test('every flipped bit is noticed, or harmless', async () => {
  await using bench = openWorkbench();
  const before = bench.images.list().length;
  for (let at = 700; at < ARCHIVE.length; at += 9973) {
    const bytes = Buffer.from(ARCHIVE);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    try {
      await bench.images.load(streamOf(bytes), bench.report, NEVER);
      // Padding was hit: what was loaded is still what the digests say.
      await collect(bench.images.save(['demo:1'], NEVER));
      await bench.images.remove(IMAGE.id, { force: true, prune: true });
    } catch (error) {
      assert.ok(isGantryError(error), String(error));
    }
    assert.deepEqual(bench.leftovers(), [], `flipped byte ${at}`);
    assert.equal(bench.images.list().length, before);
  }
});

const BROKEN: readonly (readonly [string, Buffer, RegExp])[] = [
  ['garbage', Buffer.from('garbage\n'.repeat(200)), /invalid tar header/],
  ['little garbage', Buffer.from('garbage\n'), /unexpected EOF/],
  ['nothing', Buffer.alloc(0), /neither manifest\.json nor index\.json/],
  ['no manifest', tarOf({ name: 'x', data: 'x' }), /neither manifest\.json nor index\.json/],
  ['a manifest that is no JSON', tarOf({ name: 'manifest.json', data: '{' }), /unexpected end of JSON input/],
  ['a missing config', tarOf({ name: 'manifest.json', data: '[{"Config":"c","Layers":[]}]' }), /open c: no such file/],
  [
    'too few layers',
    tarOf({ name: 'c', data: IMAGE.config }, { name: 'manifest.json', data: '[{"Config":"c","Layers":[]}]' }),
    /layers length mismatch: expected 0, got 1/,
  ],
  [
    'another layer',
    tarOf(
      { name: 'c', data: IMAGE.config },
      { name: 'l', data: tarOf() },
      { name: 'manifest.json', data: '[{"Config":"c","Layers":["l"]}]' },
    ),
    /invalid diffID/,
  ],
  ['a bad tag', archiveOf([{ image: IMAGE, tags: ['Bad:1'] }]), /must be lowercase/],
];

for (const [what, bytes, message] of BROKEN) {
  test(`an archive of ${what} is refused in words`, async () => {
    await using bench = openWorkbench();
    await assert.rejects(bench.images.load(streamOf(bytes), bench.report, NEVER), (error: unknown) => {
      assert.ok(isGantryError(error, 'invalid'), String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('saving gives an archive that loads elsewhere as the same image', async () => {
  await using bench = openWorkbench();
  await bench.images.load(streamOf(ARCHIVE), bench.report, NEVER);
  const saved = await collect(bench.images.save(['demo'], NEVER));
  await using other = openWorkbench();
  assert.deepEqual(await other.images.load(streamOf(saved), other.report, NEVER), ['demo:1', 'demo:2']);
  assert.equal(other.images.get('demo:2').id, IMAGE.id);
  assert.throws(() => bench.images.save(['nope'], NEVER), /^GantryError: No such image: nope$/);
});

test('a tag moves to the image loaded last, and Docker says so', async () => {
  await using bench = openWorkbench();
  const other = imageOf([LAYER], { author: 'someone else' });
  await bench.images.load(streamOf(archiveOf([{ image: other, tags: ['demo:1'] }])), bench.report, NEVER);
  await bench.images.load(streamOf(ARCHIVE), bench.report, NEVER);
  assert.ok(
    bench.progress.some(
      ({ stream }) =>
        stream === `The image demo:1 already exists, renaming the old one with ID ${other.id} to empty string\n`,
    ),
  );
  assert.deepEqual(bench.images.get(other.id).repoTags, []);
});

test('importing makes a one-layer image with the changes asked for', async () => {
  await using bench = openWorkbench();
  const request = {
    reference: 'imp:1',
    changes: ['CMD ["sh","-c"]', 'ENV A=b C="d e"', 'EXPOSE 80 53/udp', 'LABEL x=y', 'WORKDIR /w', 'USER me'],
    message: '',
  };
  const record = await bench.images.import(streamOf(gzipSync(LAYER.tar)), request, bench.report, NEVER);
  assert.deepEqual(record.diffIds, [LAYER.diffId]);
  assert.deepEqual(record.repoTags, ['imp:1']);
  assert.equal(record.comment, 'Imported from -');
  assert.deepEqual(record.config, {
    Cmd: ['sh', '-c'],
    Env: ['A=b', 'C=d e'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Labels: { x: 'y' },
    WorkingDir: '/w',
    User: 'me',
  });
  assert.deepEqual(
    bench.progress.map(({ status }) => status),
    [record.id],
  );
  assert.deepEqual(
    bench.events.map(({ action }) => action),
    ['tag', 'import'],
  );
  await assert.rejects(
    bench.images.import(streamOf(LAYER.tar), { changes: ['FROM x'], message: '' }, bench.report, NEVER),
    /FROM is not a valid change command/,
  );
  await assert.rejects(
    bench.images.import(streamOf(Buffer.from('junk'.repeat(500))), { changes: [], message: '' }, bench.report, NEVER),
    /invalid tar header/,
  );
});

test('an archive of very many small or long-named members does not fill the memory', async () => {
  await using bench = openWorkbench();
  const longName = tarOf({ name: 'n'.repeat(100_000), data: '' });
  await assert.rejects(bench.images.load(streamOf(longName), bench.report, NEVER), /too long a name/);
  // 128 MiB in members that are small each: they go to disk, and the image among them still loads.
  const small = Buffer.alloc(64 * 1024);
  const image = imageOf([layerOf(tarOf({ name: 'a', data: 'x' }))]);
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 2048; i++) yield tarOf({ name: `s${i}`, data: small }).subarray(0, -1024);
    yield archiveOf([{ image, tags: ['small:1'] }]);
  };
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }, 5);
  try {
    await bench.images.load(archive(), bench.report, NEVER);
  } finally {
    clearInterval(watch);
  }
  assert.equal(bench.images.get('small:1').id, image.id);
  assert.ok(most < 100 << 20, `${most} bytes were held`);
});
