// The image endpoints as clients meet them, against what dockerd 28.5 answered to the same images and questions.

import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TarReader } from '../../src/lib/tar/index.ts';
import { busybox } from '../fixtures/busybox.ts';
import { type Answer, type Daemon, startDaemon } from '../support/daemon.ts';
import { archiveOf, imageOf, layerOf, tarOf } from './support.ts';

const daemon: Daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const file = (name: string, bytes: number) => layerOf(tarOf({ name, data: 'x'.repeat(bytes) }));
const [L1, L2, L3] = [file('one', 5000), file('two', 6000), file('three', 7000)];
const L4 = layerOf(
  tarOf({ name: '.wh.two' }, { name: 'e', data: '' }, { name: 's', type: 'symlink', linkName: 'abc' }),
);
const day = (n: number): string => `2024-0${n}-01T00:00:00Z`;

const IMAGES = {
  one: imageOf([L1, L2], {
    created: day(1),
    config: { Cmd: ['a'], Labels: { k: 'v', only: '' } },
    history: [{ created: day(1) }, { created: day(2), empty_layer: true }, { created: day(3), created_by: 'top' }],
  }),
  two: imageOf([L1, L3], {
    created: day(2),
    config: { Labels: { k: 'w' } },
    history: [{ created_by: 'a' }, { created_by: 'b', comment: 'of the last line' }],
  }),
  three: imageOf([L1, L2, L4], { created: day(3), config: {}, history: [] }),
  nodate: imageOf([L2], { created: undefined, config: {}, 'os.version': '1.2' }),
};
const NAMES = Object.keys(IMAGES) as (keyof typeof IMAGES)[];

for (const name of NAMES) {
  const archive = archiveOf([{ image: IMAGES[name], tags: [`lab/${name}:1`] }]);
  const answer = await daemon.api('POST', '/images/load?quiet=1', archive);
  assert.match(answer.text, /Loaded image/);
}

const get = (path: string): Promise<Answer> => daemon.api('GET', path);
const filtered = (filters: unknown): string => `filters=${encodeURIComponent(JSON.stringify(filters))}`;
const namesIn = (answer: Answer): readonly string[] =>
  answer.json<{ RepoTags: string[] }[]>().map(({ RepoTags }) => RepoTags[0] ?? '<none>');

async function refused(answer: Promise<Answer>, status: number, message: string): Promise<void> {
  const { status: got, text } = await answer;
  assert.equal(got, status, text);
  assert.equal((JSON.parse(text) as { message: string }).message, message);
}

test('history tells the size of each layer, newest first', async () => {
  const lines = (await get('/images/lab/one:1/history')).json<{ Size: number; Id: string; Created: number }[]>();
  assert.deepEqual(
    lines.map(({ Size }) => Size),
    [6000, 0, 5000],
  );
  assert.deepEqual([lines[0]?.Id, lines[1]?.Id], [IMAGES.one.id, '<missing>']);
  const undated = (await get('/images/lab/two:1/history')).json<{ Size: number; Created: number }[]>();
  assert.deepEqual(
    undated.map(({ Size, Created }) => [Size, Created]),
    [
      [7000, 0],
      [5000, 0],
    ],
  );
  assert.deepEqual((await get('/images/lab/three:1/history')).json(), []);
});

test('df counts a layer once, tells what is shared, and agrees with the disk', async () => {
  const usage = (await get('/system/df?type=image')).json<{
    LayersSize: number;
    Images: { Id: string; Size: number; SharedSize: number }[];
  }>();
  const onDisk = (folder: string): number =>
    readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sum + onDisk(path);
      return entry.isFile() || entry.isSymbolicLink() ? sum + lstatSync(path).size : sum;
    }, 0);
  const layers = join(daemon.dataRoot, 'layers');
  const files = readdirSync(layers).filter((name) => /^\d+$/.test(name));
  const bytes = files.reduce((sum, name) => sum + onDisk(join(layers, name)), 0);
  assert.equal(usage.LayersSize, bytes);
  assert.equal(usage.LayersSize, 5000 + 6000 + 7000 + 3);
  const of = (name: keyof typeof IMAGES) => usage.Images.find(({ Id }) => Id === IMAGES[name].id);
  assert.deepEqual([of('one')?.Size, of('one')?.SharedSize], [11_000, 11_000]);
  assert.deepEqual([of('two')?.Size, of('two')?.SharedSize], [12_000, 5000]);
  assert.deepEqual([of('three')?.Size, of('three')?.SharedSize], [11_003, 11_000]);
  const listed = (await get('/images/json?shared-size=1')).json<{ Id: string; SharedSize: number }[]>();
  assert.equal(listed.find(({ Id }) => Id === IMAGES.two.id)?.SharedSize, 5000);
  const plain = (await get('/images/json')).json<{ SharedSize: number }[]>();
  assert.ok(plain.every(({ SharedSize }) => SharedSize === -1));
  const said = await daemon.docker('system', 'df', '-v');
  assert.match(said.stdout, /lab\/two +1 +\w+ +.* +12kB +5kB +7kB +0/);
});

const LINUX_ARM = '{"os":"linux","architecture":"arm64"}';
const here = JSON.stringify({ os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch });

test('the platform of inspect, history, save and load is checked in Docker’s words', async () => {
  const paths = [
    '/images/lab/one:1/json',
    '/images/lab/one:1/history',
    '/images/lab/one:1/get',
    '/images/get?names=lab/one:1',
  ];
  const with_ = (path: string, platform: string): string =>
    `${path}${path.includes('?') ? '&' : '?'}platform=${encodeURIComponent(platform)}`;
  const malformed: Readonly<Record<string, string>> = {
    'linux/amd64': "failed to parse platform: invalid character 'l' looking for beginning of value",
    '[]': 'failed to parse platform: json: cannot unmarshal array into Go value of type v1.Platform',
    '{"os":5}':
      'failed to parse platform: json: cannot unmarshal number into Go struct field Platform.os of type string',
    '{"os":"linux"}': 'both OS and Architecture must be provided',
    null: 'both OS and Architecture must be provided',
    '{} x': "failed to parse platform: invalid character 'x' after top-level value",
  };
  for (const [platform, message] of Object.entries(malformed)) {
    for (const path of paths) await refused(get(with_(path, platform)), 400, message);
    await refused(daemon.api('POST', with_('/images/load', platform), Buffer.alloc(1024)), 400, message);
  }
  const other =
    'image with reference lab/one:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)';
  for (const path of paths.slice(0, 2)) await refused(get(with_(path, LINUX_ARM)), 404, other);
  for (const path of paths.slice(2)) {
    await refused(get(with_(path, LINUX_ARM)), 500, 'no suitable export target found for platform linux/arm64');
  }
  for (const path of paths) assert.equal((await get(with_(path, here))).status, 200, path);
  assert.equal((await get(`/v1.48${with_(paths[0] ?? '', '{}')}`)).status, 200, 'before 1.49 inspect has no platform');
  assert.equal((await get(`/v1.47${with_(paths[1] ?? '', '{}')}`)).status, 200, 'before 1.48 history has none');
  await refused(
    get(`/images/lab/one:1/json?manifests=1&platform=${encodeURIComponent(here)}`),
    400,
    'conflicting options: manifests and platform options cannot both be set',
  );
});

test('the platform of pull and import is checked in Docker’s words', async () => {
  for (const source of ['fromImage=lab/one&tag=1', 'fromSrc=-']) {
    const words = (platform: string, message: string): Promise<void> =>
      refused(daemon.api('POST', `/images/create?${source}&platform=${platform}`, Buffer.alloc(1024)), 400, message);
    await words('foo', '"foo": unknown operating system or architecture: invalid argument');
    await words('a/b/c/d', '"a/b/c/d": cannot parse platform specifier: invalid argument');
  }
  await refused(
    daemon.api('POST', '/images/create?fromSrc=-&platform=windows/amd64', Buffer.alloc(1024)),
    400,
    'operating system is not supported',
  );
});

test('a name that reads as a digest is no tag', async () => {
  const message = 'refusing to create an ambiguous tag using digest algorithm as name';
  for (const target of ['repo=sha256&tag=1', 'repo=sha256:abc', 'repo=sha256', 'repo=docker.io/sha256&tag=1']) {
    await refused(daemon.api('POST', `/images/lab/one:1/tag?${target}`), 400, message);
  }
  await refused(daemon.api('POST', '/images/create?fromSrc=-&repo=sha256&tag=1', Buffer.alloc(1024)), 400, message);
  assert.equal((await daemon.api('POST', '/images/lab/one:1/tag?repo=other/sha256&tag=1')).status, 201);
  assert.equal((await daemon.api('POST', '/images/lab/one:1/tag?repo=moved:1&tag=2')).status, 201);
  assert.ok(namesIn(await get(`/images/json?${filtered({ reference: ['moved'] })}`)).includes('moved:2'));
  for (const name of ['other/sha256:1', 'moved:2']) await daemon.api('DELETE', `/images/${name}`);
});

test('image ls filters as Docker does', async () => {
  const lists: readonly (readonly [unknown, readonly string[]])[] = [
    [{ reference: ['lab/*:1'] }, ['three', 'two', 'one', 'nodate']],
    [{ reference: ['lab/t*'] }, ['three', 'two']],
    [{ reference: ['docker.io/lab/one'] }, []],
    [{ before: ['lab/two:1'] }, ['one']],
    [{ since: ['lab/one:1'] }, ['three', 'two']],
    [{ before: ['lab/three:1'], since: ['lab/one:1'] }, ['two']],
    [{ before: ['lab/nodate:1'] }, ['three', 'two', 'one', 'nodate']],
    [{ label: ['k'] }, ['two', 'one']],
    [{ label: ['k=v', 'only'] }, ['one']],
    [{ until: ['2024-02-15'] }, ['two', 'one']],
    [{ until: ['2024-02-15', '2024-01-15'] }, ['one']],
    [{ dangling: ['true'] }, []],
  ];
  for (const [filters, expected] of lists) {
    const found = namesIn(await get(`/images/json?${filtered(filters)}`));
    assert.deepEqual(
      found,
      expected.map((name) => `lab/${name}:1`),
      JSON.stringify(filters),
    );
  }
  await refused(get(`/images/json?${filtered({ 'label!': ['k'] })}`), 400, "invalid filter 'label!'");
  await refused(get(`/images/json?${filtered({ reference: ['lab/['] })}`), 500, 'syntax error in pattern');
  await refused(get(`/images/json?${filtered({ before: ['nope'] })}`), 404, 'No such image: nope:latest');
  assert.equal(namesIn(await get('/images/json?all=1')).length, 4);
});

test('inspect tells the comment of the last line of history, the system’s version, and what old versions knew', async () => {
  const inspect = async (name: string, version = '1.51') =>
    (await get(`/v${version}/images/lab/${name}:1/json`)).json<Record<string, unknown>>();
  assert.equal((await inspect('two')).Comment, 'of the last line');
  assert.equal((await inspect('nodate')).OsVersion, '1.2');
  assert.equal((await inspect('nodate')).Created, undefined);
  assert.equal((await inspect('nodate', '1.43')).Created, '0001-01-01T00:00:00Z');
  assert.ok('ContainerConfig' in (await inspect('nodate', '1.44')));
  assert.equal((await inspect('one', '1.43')).VirtualSize, 11_000);
});

test('save gives content the age of its image, and the same bytes each time', async () => {
  const first = await daemon.docker('save', 'lab/one:1', '-o', join(daemon.root, 'first.tar'));
  assert.equal(first.code, 0, first.stderr);
  const bytes = readFileSync(join(daemon.root, 'first.tar'));
  const times = new Map<string, number>();
  const reader = new TarReader({
    entry: ({ name, mtime }) => void times.set(name, mtime.seconds),
    data() {},
    entryEnd() {},
  });
  reader.write(bytes);
  const created = Date.parse(day(1)) / 1000;
  for (const digest of [IMAGES.one.id, L1.diffId, L2.diffId])
    assert.equal(times.get(`blobs/sha256/${digest.slice(7)}`), created);
  assert.deepEqual(
    ['blobs/', 'blobs/sha256/', 'index.json', 'manifest.json', 'oci-layout', 'repositories'].map((name) =>
      times.get(name),
    ),
    [created, created, 0, 0, 0, 0],
  );
  await daemon.docker('save', 'lab/one:1', '-o', join(daemon.root, 'second.tar'));
  assert.ok(readFileSync(join(daemon.root, 'second.tar')).equals(bytes));
});

test('a container whose layer is lost says which, and loading its image again lets it start', async () => {
  const { archive } = await busybox();
  await daemon.load(archive);
  assert.equal((await daemon.docker('create', '--name', 'lost', 'busybox', 'echo', 'alive')).code, 0);
  const image = (await get('/images/busybox/json')).json<{ GraphDriver: { Data: { UpperDir: string } } }>();
  rmSync(image.GraphDriver.Data.UpperDir, { recursive: true });
  const started = await daemon.docker('start', '-a', 'lost');
  assert.notEqual(started.code, 0);
  assert.match(started.stderr, /layer sha256:\w{64} of image sha256:\w{64} is damaged: the folder \S+ is gone/);
  await daemon.load(archive);
  const again = await daemon.docker('start', '-a', 'lost');
  assert.equal(again.stdout, 'alive\n', again.stderr);
  await daemon.docker('rm', 'lost');
  await daemon.docker('rmi', 'busybox');
});

test('image prune takes what its label filters say', async () => {
  const prune = async (filters: unknown): Promise<readonly string[]> => {
    const answer = await daemon.api('POST', `/images/prune?${filtered(filters)}`);
    const { ImagesDeleted } = answer.json<{ ImagesDeleted: { Untagged?: string }[] | null }>();
    return (ImagesDeleted ?? []).flatMap(({ Untagged }) => Untagged ?? []);
  };
  assert.deepEqual(await prune({ dangling: ['false'], label: ['k=x'] }), []);
  assert.deepEqual(await prune({ dangling: ['false'], label: ['k'], 'label!': ['k=v'] }), ['lab/two:1']);
  assert.deepEqual(await prune({ dangling: ['false'], until: ['2024-01-15'] }), ['lab/one:1']);
  assert.deepEqual(await prune({ dangling: ['false'], 'label!': ['k'] }), ['lab/three:1', 'lab/nodate:1']);
});
