import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Bench, openBench } from './testing/bench.ts';

const volumeNames = (bench: Bench): readonly string[] => bench.volumes.list(new Map()).map(({ name }) => name);
const folders = (bench: Bench): readonly string[] => readdirSync(join(bench.dir, 'containers'));

test('a create makes a record, a folder and volumes, starts nothing, and says so', async (t) => {
  const bench = openBench(t);
  const { id, warnings } = await bench.face.create({
    name: 'web',
    body: { Image: 'busybox', Volumes: { '/own': {} }, HostConfig: { Binds: ['data:/data:ro', '/srv:/srv'] } },
  });
  assert.deepEqual(warnings, []);
  const { state, mounts, command, imageName } = bench.records.find('web');
  assert.deepEqual([state.phase, command, imageName], ['created', ['sh'], 'busybox']);
  const [data, srv, own] = mounts;
  assert.deepEqual([data?.name, data?.writable, data?.anonymous], ['data', false, undefined]);
  assert.equal(data?.source, join(bench.dir, 'volumes', 'data', '_data'));
  assert.deepEqual([srv?.type, srv?.source], ['bind', '/srv']);
  assert.deepEqual([own?.anonymous, own?.name?.length], [true, 64]);
  assert.deepEqual(folders(bench), [id]);
  assert.deepEqual(bench.actionsOf(id), ['create']);
  assert.ok(!bench.steps.includes('prepare'));
});

test('a container without a name gets one, and two of one name cannot be', async (t) => {
  const bench = openBench(t);
  const { id } = await bench.face.create({ body: { Image: 'busybox' } });
  assert.match(bench.records.find(id).name, /^[a-z]+_[a-z]+$/);
  const first = await bench.create('web');
  const again = bench.create('web', { HostConfig: { Binds: ['unmade:/data'] } });
  await assert.rejects(again, {
    kind: 'conflict',
    message: `Conflict. The container name "/web" is already in use by container "${first}". You have to remove (or rename) that container to be able to reuse that name.`,
  });
  assert.deepEqual(volumeNames(bench), [], 'nothing was made for it');
  const both = await Promise.allSettled([bench.create('race'), bench.create('race')]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal(folders(bench).length, 3);
});

test('a create that fails half-way takes back its volumes and its record, but no volume that was there', async (t) => {
  const bench = openBench(t);
  await bench.volumes.create({ name: 'kept' });
  const body = { Volumes: { '/own': {} }, HostConfig: { Binds: ['made:/made', 'kept:/kept'] } };
  const insert = t.mock.method(bench.records, 'insert', () => {
    throw new Error('disk is full');
  });
  await assert.rejects(bench.create('web', body), /disk is full/);
  insert.mock.restore();
  assert.deepEqual(volumeNames(bench), ['kept']);
  assert.deepEqual(bench.records.all(), []);
  assert.deepEqual(
    bench.events.filter(({ type }) => type === 'container'),
    [],
  );
  await bench.create('web', body);
});

test('an image that is removed while volumes are made fails the create', async (t) => {
  const bench = openBench(t);
  const create = bench.volumes.create.bind(bench.volumes);
  t.mock.method(bench.volumes, 'create', (request: Parameters<typeof create>[0]) => {
    bench.images.gone = true;
    return create(request);
  });
  const refused = bench.create('web', { HostConfig: { Binds: ['data:/data'] } });
  await assert.rejects(refused, { kind: 'notFound', code: 'NO_SUCH_IMAGE' });
  assert.deepEqual(volumeNames(bench), []);
});

test('a create is refused before anything is made', async (t) => {
  const bench = openBench(t);
  bench.launcher.sources.set('/gone', constants.errno.ENOENT).set('/dead', constants.errno.ETIMEDOUT);
  const bind = (Source: string) => ({ HostConfig: { Mounts: [{ Type: 'bind' as const, Source, Target: '/x' }] } });
  for (const [body, error] of [
    [{ Image: '' }, { kind: 'invalid', message: 'no image specified' }],
    [{ Image: 'nope' }, { kind: 'notFound' }],
    [bind('/gone'), { message: 'invalid mount config for type "bind": bind source path does not exist: /gone' }],
    [
      bind('/dead'),
      { code: 'BIND_SOURCE_SILENT', message: 'the file system of the bind source /dead does not answer' },
    ],
    [{ HostConfig: { LogConfig: { Type: 'syslog' } } }, { code: 'UNKNOWN_LOG_DRIVER' }],
    [{ HostConfig: { VolumesFrom: ['nope'] } }, { kind: 'invalid', message: 'No such container: nope' }],
    [{ HostConfig: { PidMode: 'container:nope' } }, { kind: 'invalid', message: 'No such container: nope' }],
    [{ HostConfig: { Binds: ['a:/x'], VolumeDriver: 'nfs' } }, { code: 'UNKNOWN_VOLUME_DRIVER' }],
  ] as const) {
    await assert.rejects(bench.create('web', body as object), error, JSON.stringify(body));
  }
  await assert.rejects(bench.face.create({ name: '-x', body: { Image: 'busybox' } }), {
    code: 'INVALID_CONTAINER_NAME',
  });
  const platform = { os: 'linux', architecture: 'arm64' };
  await assert.rejects(bench.face.create({ platform, body: { Image: 'busybox' } }), {
    kind: 'notFound',
    message: /does not provide the specified platform \(linux\/arm64\).*wanted linux\/arm64, actual: linux\/amd64/,
  });
  assert.deepEqual([volumeNames(bench), folders(bench)], [[], []]);
});

test('what a host cannot limit and what a log mode means is said with the create', async (t) => {
  const bench = openBench(t);
  const LogConfig = { Type: 'json-file', Config: { mode: 'non-blocking' } } as const;
  const { warnings } = await bench.face.create({
    body: {
      Image: 'busybox',
      HostConfig: { CpuShares: 5, NetworkMode: 'host', PortBindings: { '80/tcp': [{}] }, LogConfig },
    },
  });
  assert.equal(warnings.length, 3);
  assert.match(warnings.join('\n'), /CPU shares.*\n.*host network mode\n.*non-blocking is not supported/);
});

test('a container that joins another goes on doing so when that one is renamed', async (t) => {
  const bench = openBench(t);
  const peer = await bench.create('peer', { Hostname: 'box' });
  await bench.create('joiner', { HostConfig: { NetworkMode: 'container:peer', PidMode: 'container:peer' } });
  await bench.face.rename('peer', 'other');
  const { hostConfig, config } = bench.records.find('joiner');
  assert.deepEqual([hostConfig.NetworkMode, hostConfig.PidMode], [`container:${peer}`, `container:${peer}`]);
  assert.equal(config.Hostname, 'box');
});

test('the daemon’s defaults go into what a container keeps, and never over what it asked for', async (t) => {
  const bench = openBench(t);
  bench.defaults = {
    shmSizeBytes: 1000,
    ipcMode: 'shareable',
    cgroupnsMode: 'host',
    cgroupParent: '/parent',
    ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
  };
  const hostOf = async (name: string, HostConfig: object) => {
    const id = await bench.create(name, { HostConfig });
    const { ShmSize, IpcMode, CgroupnsMode, CgroupParent, Ulimits } = bench.records.find(id).hostConfig;
    return [ShmSize, IpcMode, CgroupnsMode, CgroupParent, Ulimits?.map(({ Name, Soft }) => `${Name}=${Soft}`)];
  };
  assert.deepEqual(await hostOf('plain', {}), [1000, 'shareable', 'host', '/parent', ['nofile=1']]);
  const own = {
    ShmSize: 5,
    IpcMode: 'private',
    CgroupnsMode: 'private',
    CgroupParent: '/own',
    Ulimits: [
      { Name: 'nofile', Soft: 9, Hard: 9 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
  };
  assert.deepEqual(await hostOf('own', own), [5, 'private', 'private', '/own', ['nofile=9', 'core=0']]);
});

test('a rename is checked as Docker checks it, and tells the old name', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  await bench.create('other');
  for (const [to, message] of [
    ['', 'Neither old nor new names may be empty'],
    ['web', 'Renaming a container with the same name as its current name'],
    ['/web', 'Renaming a container with the same name as its current name'],
    ['-x', 'Error when allocating new name: Invalid container name (/-x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
    ['other', /^Error when allocating new name: Conflict\. The container name "\/other" is already in use/],
  ] as const) {
    await assert.rejects(bench.face.rename('web', to), { message }, to);
  }
  await bench.face.rename('web', '/new');
  assert.equal(bench.records.find('new').id, id);
  assert.throws(() => bench.records.find('web'), { code: 'NO_SUCH_CONTAINER' });
  const { attributes } = bench.events.at(-1) ?? {};
  assert.deepEqual([attributes?.oldName, attributes?.name], ['/web', 'new']);
  await bench.create('web');
});

test('a bind source that -v names is made at the start, one that --mount names must be there', async (t) => {
  const bench = openBench(t);
  await bench.run('short', { HostConfig: { Binds: ['/made:/x'] } });
  assert.deepEqual(bench.launcher.probed, [{ path: '/made', create: true }]);
  bench.launcher.probed.length = 0;
  const Mounts = [{ Type: 'bind' as const, Source: '/there', Target: '/x' }];
  const id = await bench.create('long', { HostConfig: { Mounts } });
  bench.launcher.sources.set('/there', constants.errno.ENOENT);
  await assert.rejects(bench.face.start(id), { code: 'BIND_SOURCE_MISSING' });
  assert.ok(bench.launcher.probed.every(({ create }) => !create));
  bench.launcher.sources.set('/made', constants.errno.EROFS);
  await bench.face.stop('short', {});
  await assert.rejects(bench.face.start('short'), {
    message: "error while creating mount source path '/made': mkdir /made: read-only file system",
  });
});

test('an empty volume gets what the image holds at its place, with its mode; a filled one keeps what it has', async (t) => {
  const bench = openBench(t);
  const inImage = join(bench.launcher.rootfs, 'data');
  mkdirSync(inImage);
  chmodSync(inImage, 0o1750);
  writeFileSync(join(inImage, 'seed'), 'from the image');
  await bench.run('one', { HostConfig: { Binds: ['data:/data', 'plain:/data2:nocopy', 'none:/absent'] } });
  const seed = join(bench.dir, 'volumes', 'data', '_data', 'seed');
  assert.equal(readFileSync(seed, 'utf8'), 'from the image');
  assert.equal(statSync(dirname(seed)).mode & 0o7777, 0o1750);
  writeFileSync(seed, 'changed');
  await bench.run('two', { HostConfig: { Binds: ['data:/data'] } });
  assert.equal(readFileSync(seed, 'utf8'), 'changed');
  await bench.run('three', { HostConfig: { Binds: ['fresh:/data:nocopy'] } });
  assert.ok(!existsSync(join(bench.dir, 'volumes', 'fresh', '_data', 'seed')));
});

test('a link in an image cannot make a volume of the host’s files', async (t) => {
  const bench = openBench(t);
  const secret = join(bench.dir, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'key'), 'x');
  symlinkSync(secret, join(bench.launcher.rootfs, 'data'));
  await bench.run('web', { HostConfig: { Binds: ['data:/data'] } });
  assert.deepEqual(readdirSync(join(bench.dir, 'volumes', 'data', '_data')), []);
});

test('a volume that was removed from under a container is made again at its start', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { HostConfig: { Binds: ['data:/data'] } });
  t.mock.method(bench.records, 'ofVolume', () => []);
  await bench.volumes.remove('data', false);
  await bench.face.start(id);
  assert.deepEqual(volumeNames(bench), ['data']);
});
