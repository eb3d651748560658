// Archives as strangers make them. What each gives was compared with dockerd 28.5: result, image and message; where it differs
// on purpose, the test says so.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ByteString } from '../../src/lib/bytes.ts';
import { digestOf } from '../../src/store/blobs.ts';
import {
  archiveOf,
  imageOf,
  layerOf,
  loadLayers,
  type Member,
  NEVER,
  OCI_MANIFEST,
  openWorkbench,
  streamOf,
  tarOf,
} from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-strange-'));
after(() => rmSync(folder, { recursive: true }));

const PLAIN = tarOf({ name: 'a/', type: 'directory' }, { name: 'a/x', data: 'hello' });

const CONFIG_NAME = 'c';
const LAYER = layerOf(PLAIN);
const IMAGE = imageOf([LAYER]);
const manifestOf = (layer: string): Member => ({
  name: 'manifest.json',
  data: JSON.stringify([{ Config: CONFIG_NAME, RepoTags: ['x:1'], Layers: [layer] }]),
});
const config: Member = { name: CONFIG_NAME, data: IMAGE.config };

const ARCHIVES: Readonly<Record<string, readonly Member[]>> = {
  'its layer behind a symlink': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l/t', type: 'symlink', linkName: '../blob' },
    manifestOf('l/t'),
  ],
  'its layer behind an absolute symlink': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l', type: 'symlink', linkName: '/blob' },
    manifestOf('l'),
  ],
  'its layer behind a symlink that climbs': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l/t', type: 'symlink', linkName: '../../../blob' },
    manifestOf('l/t'),
  ],
  'its layer behind a hard link': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l', type: 'hardlink', linkName: 'blob' },
    manifestOf('l'),
  ],
  'its layer below a folder that is a symlink': [
    config,
    { name: 'l/t', data: PLAIN },
    { name: 'm', type: 'symlink', linkName: 'l' },
    manifestOf('m/t'),
  ],
  'its layer behind nine symlinks': [
    config,
    { name: 'l0', data: PLAIN },
    ...Array.from({ length: 9 }, (_, i): Member => ({ name: `l${i + 1}`, type: 'symlink', linkName: `l${i}` })),
    manifestOf('l9'),
  ],
  'a member that comes twice': [
    { name: CONFIG_NAME, data: 'other' },
    config,
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
  'a symlink that becomes a file': [
    { name: CONFIG_NAME, type: 'symlink', linkName: 'x' },
    config,
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
  'absolute names': [{ name: `/${CONFIG_NAME}`, data: IMAGE.config }, { name: '/l', data: PLAIN }, manifestOf('l')],
  'names with dots': [
    { name: `./a/../${CONFIG_NAME}`, data: IMAGE.config },
    { name: './l', data: PLAIN },
    manifestOf('./l'),
  ],
  'a device and a pipe in it': [
    config,
    { name: 'l', data: PLAIN },
    { name: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
    { name: 'p', type: 'fifo' },
    manifestOf('l'),
  ],
  'attributes on its members': [
    { ...config, xattrs: new Map([['user.x' as ByteString, Buffer.from('1')]]) },
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
};

for (const [what, members] of Object.entries(ARCHIVES)) {
  test(`an archive with ${what} loads`, async () => {
    await using bench = openWorkbench();
    assert.deepEqual(await bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER), ['x:1']);
    assert.ok(existsSync(join(bench.images.layerPaths(IMAGE.id)[0] ?? '', 'a/x')));
    assert.deepEqual(readdirSync(join(bench.root, 'content/ingest')), []);
  });
}

test('an archive whose layer is a link to itself is refused', async () => {
  await using bench = openWorkbench();
  const members = [config, { name: 'l', type: 'symlink', linkName: 'l' } as const, manifestOf('l')];
  await assert.rejects(
    bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER),
    /^GantryError: open l: no such file or directory$/,
  );
});

test('a layer that is known need not be in the archive', async () => {
  await using bench = openWorkbench();
  await loadLayers(bench, LAYER);
  const other = imageOf([LAYER], { author: 'other' });
  const members = [{ name: CONFIG_NAME, data: other.config }, manifestOf('gone')];
  assert.deepEqual(await bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER), ['x:1']);
});

const WORDS: Readonly<Record<string, string>> = {
  '{}': 'json: cannot unmarshal object into Go value of type []tarexport.manifestItem',
  null: 'invalid manifest, manifest cannot be null (but can be [])',
  '"x"': 'json: cannot unmarshal string into Go value of type []tarexport.manifestItem',
  garbage: "invalid character 'g' looking for beginning of value",
  '["x"]': 'json: cannot unmarshal string into .0 of type tarexport.manifestItem',
  '[{"Config":5}]': 'json: cannot unmarshal number into Go struct field .0.Config of type string',
  '[{"Layers":"x"}]': 'json: cannot unmarshal string into Go struct field .0.Layers of type []string',
  '[{"Layers":[5]}]': 'json: cannot unmarshal number into .0.Layers.0 of type string',
  '[{"RepoTags":"x"}]': 'json: cannot unmarshal string into Go struct field .0.RepoTags of type []string',
  '[{"Parent":5}]': 'json: cannot unmarshal number into Go struct field .0.Parent of type image.ID',
  '[{"LayerSources":5}]':
    'json: cannot unmarshal number into Go struct field .0.LayerSources of type map[layer.DiffID]distribution.Descriptor',
  '[{"RepoTags":["sha256:1"]}]': 'refusing to create an ambiguous tag using digest algorithm as name',
};

for (const [text, message] of Object.entries(WORDS)) {
  test(`an archive whose manifest.json is ${text} is refused in Docker's words`, async () => {
    await using bench = openWorkbench();
    const archive = tarOf({ name: 'manifest.json', data: text });
    await assert.rejects(bench.images.load(streamOf(archive), bench.report, NEVER), (error: unknown) => {
      assert.equal(error instanceof Error ? error.message : '', message);
      return true;
    });
  });
}

test('an image of another system is not loaded, nor one of another platform than asked for', async () => {
  await using bench = openWorkbench();
  const windows = archiveOf([{ image: imageOf([LAYER], { os: 'windows' }), tags: ['x:1'] }]);
  await assert.rejects(
    bench.images.load(streamOf(windows), bench.report, NEVER),
    /^GantryError: cannot load windows image on linux$/,
  );
  const images = ['amd64', 'arm64'].map((architecture) => ({
    image: imageOf([LAYER], { architecture }),
    tags: [`${architecture}:1`],
  }));
  const both = archiveOf(images);
  const wanted = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  assert.deepEqual(await bench.images.load(streamOf(both), bench.report, NEVER, { platform: wanted }), ['arm64:1']);
  const other = { os: 'linux', architecture: 's390x' };
  await assert.rejects(
    bench.images.load(streamOf(both), bench.report, NEVER, { platform: other }),
    /^GantryError: no image of the archive matches the platform linux\/s390x$/,
  );
});

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
type Described = Readonly<Record<string, unknown>>;

const describe = (bytes: Buffer, mediaType: string, more: Described = {}): Described => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
  ...more,
});

const indexOf = (...manifests: readonly Described[]): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));

/** An OCI layout with these entries in its index, and blobs. */
function layoutOf(entries: readonly Described[], ...blobs: readonly Buffer[]): Buffer {
  return tarOf(
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: indexOf(...entries) },
    ...blobs.map((data) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data })),
  );
}

const tagged = { annotations: { 'io.containerd.image.name': 'docker.io/library/x:1' } };
const STORED = layerOf(PLAIN);
const HERE = imageOf([STORED]);
const AWAY = imageOf([STORED], { architecture: 's390x' });
const host = { architecture: JSON.parse(HERE.config.toString()).architecture as string, os: 'linux' };
const here = describe(HERE.manifest, OCI_MANIFEST, { platform: host });
const away = describe(AWAY.manifest, OCI_MANIFEST, { platform: { ...host, architecture: 's390x' } });
const BLOBS = [HERE.manifest, HERE.config, AWAY.manifest, AWAY.config, STORED.blob];
const index = indexOf(away, here);
const outer = indexOf(describe(index, OCI_INDEX));

const LAYOUTS: Readonly<Record<string, Buffer>> = {
  'one image': layoutOf([{ ...here, ...tagged }], ...BLOBS),
  'an index of platforms': layoutOf([describe(index, OCI_INDEX, tagged)], index, ...BLOBS),
  'an index in an index': layoutOf([describe(outer, OCI_INDEX, tagged)], outer, index, ...BLOBS),
  'several platforms under one name': layoutOf(
    [
      { ...here, ...tagged },
      { ...away, ...tagged },
    ],
    ...BLOBS,
  ),
  'only the platform that is wanted': layoutOf(
    [describe(index, OCI_INDEX, tagged)],
    index,
    HERE.manifest,
    HERE.config,
    STORED.blob,
  ),
};

for (const [what, archive] of Object.entries(LAYOUTS)) {
  test(`an OCI layout with ${what} gives the image for this host`, async () => {
    await using bench = openWorkbench();
    assert.deepEqual(await bench.images.load(streamOf(archive), bench.report, NEVER), ['x:1']);
    assert.deepEqual(
      bench.images.list().map(({ id }) => id),
      [HERE.id],
    );
  });
}

const deepest = [1, 2, 3, 4].reduce<readonly Buffer[]>(
  (all) => [indexOf(describe(all[0] ?? index, OCI_INDEX)), ...all],
  [index],
);
const chart = Buffer.from(
  HERE.manifest
    .toString()
    .replace('application/vnd.oci.image.config.v1+json', 'application/vnd.cncf.helm.config.v1+json'),
);
const LAYOUTS_REFUSED: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'indexes without end': [
    layoutOf([describe(deepest[0] ?? index, OCI_INDEX)], ...deepest, ...BLOBS),
    /nested too deeply/,
  ],
  'a chart': [
    layoutOf([describe(chart, OCI_MANIFEST)], chart, ...BLOBS),
    /unsupported media type application\/vnd\.cncf/,
  ],
  'another blob under its digest': [
    tarOf(
      { name: 'index.json', data: indexOf(here) },
      ...[HERE.manifest, HERE.config].map((data) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data })),
      { name: `blobs/sha256/${STORED.blobDigest.slice(7)}`, data: gzipSync(tarOf({ name: 'evil', data: 'x' })) },
    ),
    /verification failed for digest|invalid diffID/,
  ],
  'no blob for its layer': [layoutOf([here], HERE.manifest, HERE.config), /open blobs\/sha256\/\w+: no such file/],
};

for (const [what, [archive, message]] of Object.entries(LAYOUTS_REFUSED)) {
  test(`an OCI layout with ${what} is refused, and leaves nothing`, async () => {
    await using bench = openWorkbench();
    await assert.rejects(bench.images.load(streamOf(archive), bench.report, NEVER), message);
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('an archive of 90,000 tiny members costs the engine one open file', async () => {
  await using bench = openWorkbench();
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  let most = 0;
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 90_000; i += 1000) {
      yield Buffer.concat(
        Array.from({ length: 1000 }, (_, n) => tarOf({ name: `m${i + n}`, data: 'x' }).subarray(0, -1024)),
      );
      most = Math.max(most, open());
    }
    yield tarOf({ name: 'large', data: Buffer.alloc(100_000) }, config, { name: 'l', data: PLAIN }, manifestOf('l'));
  };
  await bench.images.load(archive(), bench.report, NEVER);
  assert.ok(most <= before + 4, `${most} open files, ${before} before`);
});

test('an archive that is sparse itself loads', async () => {
  await using bench = openWorkbench();
  const holes = tarOf({ name: 'zeros', data: Buffer.alloc(2 << 20) }, { name: 'end', data: 'x' });
  const image = imageOf([layerOf(holes)]);
  const archive = join(folder, 'unpacked');
  execFileSync('mkdir', ['-p', archive]);
  execFileSync('tar', ['-C', archive, '-xf', '-'], { input: archiveOf([{ image, tags: ['x:1'] }]) });
  execFileSync('sh', ['-c', 'for f in blobs/sha256/*; do cp --sparse=always "$f" t && mv t "$f"; done'], {
    cwd: archive,
  });
  const tar = execFileSync('tar', ['-C', archive, '-S', '--format=pax', '-cf', '-', '.'], { maxBuffer: 1 << 24 });
  assert.ok(tar.length < 1 << 20, 'tar made it sparse');
  assert.deepEqual(await bench.images.load(streamOf(tar), bench.report, NEVER), ['x:1']);
  assert.equal(lstatSync(join(bench.images.layerPaths(image.id)[0] ?? '', 'zeros')).size, 2 << 20);
});
