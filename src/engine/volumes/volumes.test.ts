import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { instead } from '../../lib/testing/instead.ts';
import { type Database, openDatabase } from '../../store/database.ts';
import { checkVolumeRequest, createVolumes, isEmptyVolume } from './index.ts';
import type { VolumeCreateRequest } from './types.ts';

let base = '';
let count = 0;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-volumes-'));
});
after(() => rmSync(base, { recursive: true }));

interface Given {
  readonly dir: string;
  readonly db: Database;
}

/** An engine's volumes; given the folder and the records of another, those of the engine after it. */
function bench(given?: Given) {
  const dir = given?.dir ?? join(base, String(++count));
  mkdirSync(dir, { recursive: true });
  const db = given?.db ?? openDatabase(':memory:');
  const users = new Map<string, string[]>();
  const events: string[] = [];
  const volumes = createVolumes({
    db,
    dir,
    publish: ({ type, action, actorId }) => void events.push(`${type} ${action} ${actorId}`),
    usersOf: (name) => users.get(name) ?? [],
  });
  const names = (filters: Readonly<Record<string, readonly string[]>> = {}) =>
    volumes.list(new Map(Object.entries(filters))).map(({ name }) => name);
  return { dir, db, volumes, users, events, names };
}

/** The same records, of which statements that begin so cannot be written. */
function failing(db: Database, start: string): Database {
  return instead(db, {
    sql(text) {
      if (text.startsWith(start)) throw new Error('disk full');
      return db.sql(text);
    },
  });
}

test('a volume that is asked for twice is one volume, with its first labels and one event', async () => {
  const { volumes, events } = bench();
  const [first, second] = await Promise.all([
    volumes.create({ name: 'data', labels: { a: '1' } }),
    volumes.create({ name: 'data', labels: { a: '2' } }),
  ]);
  assert.equal(first, second);
  assert.deepEqual(first.labels, { a: '1' });
  assert.deepEqual(events, ['volume create data']);
});

test('users of the host pass a volume’s folder by name, do not list it, and see its data', async () => {
  const { volumes } = bench();
  const { mountpoint } = await volumes.create({ name: 'data' });
  const mode = (path: string) => statSync(path).mode & 0o777;
  assert.deepEqual([mode(join(mountpoint, '..')), mode(mountpoint)], [0o701, 0o755]);
});

test('a volume without a name gets one that no other has, and says that nobody chose it', async () => {
  const { volumes } = bench();
  const [a, b] = [await volumes.create({ labels: { k: 'v' } }), await volumes.create({})];
  assert.match(a.name, /^[0-9a-f]{64}$/);
  assert.notEqual(a.name, b.name);
  assert.deepEqual([a.anonymous, a.labels], [true, { k: 'v', 'com.docker.volume.anonymous': '' }]);
});

test('names that could leave the folder, and drivers and options that we lack, are refused in dockerd’s words', () => {
  const invalid = 'INVALID_VOLUME_NAME';
  const cases: readonly (readonly [VolumeCreateRequest, string, RegExp])[] = [
    [{ name: '../etc' }, invalid, /^create \.\.\/etc: "\.\.\/etc" includes invalid characters for a local volume name/],
    [{ name: '/etc' }, invalid, /If you intended to pass a host directory, use absolute path$/],
    [{ name: '..' }, invalid, /includes invalid characters/],
    [{ name: '.removed-x' }, invalid, /includes invalid characters/],
    [{ name: 'a/b' }, invalid, /includes invalid characters/],
    [{ name: 'ab\n' }, invalid, /includes invalid characters/],
    [{ name: 'a\0b' }, invalid, /includes invalid characters/],
    [
      { name: 'a' },
      invalid,
      /^create a: volume name is too short, names should be at least two alphanumeric characters$/,
    ],
    [
      { name: 'ab', driver: 'nfs' },
      'UNKNOWN_VOLUME_DRIVER',
      /^create ab: error looking up volume plugin nfs: plugin "nfs" not found$/,
    ],
    [{ name: 'ab', options: { x: '1' } }, 'VOLUME_OPTIONS', /^create ab: invalid option: "x"$/],
    [{ name: 'ab', options: { type: 'tmpfs' } }, 'VOLUME_OPTIONS', /takes no options yet: type$/],
  ];
  for (const [request, code, message] of cases) {
    assert.throws(() => checkVolumeRequest(request), { code, message }, JSON.stringify(request));
  }
  for (const request of [{ name: 'a.b_c-D9' }, { driver: '' }, { driver: 'local', options: {} }]) {
    checkVolumeRequest(request);
  }
});

test('a refused volume leaves neither folder nor event', async () => {
  const { volumes, dir, events } = bench();
  assert.throws(() => void volumes.create({ name: '../x' }), { code: 'INVALID_VOLUME_NAME' });
  assert.deepEqual([readdirSync(dir), events], [[], []]);
});

test('a volume whose folder cannot be made is no volume; the name can be used afterwards', async () => {
  const { volumes, dir, names, events } = bench();
  writeFileSync(join(dir, 'data'), 'in the way');
  await assert.rejects(volumes.create({ name: 'data' }), { code: /EEXIST|ENOTDIR/ });
  assert.deepEqual([names(), events], [[], []]);
  rmSync(join(dir, 'data'));
  await volumes.create({ name: 'data' });
  assert.deepEqual(names(), ['data']);
});

test('a volume in use is kept, and the user is told by whom', async () => {
  const { volumes, users, dir } = bench();
  await volumes.create({ name: 'data' });
  users.set('data', ['c1', 'c2']);
  for (const force of [false, true]) {
    await assert.rejects(volumes.remove('data', force), {
      kind: 'conflict',
      code: 'VOLUME_IN_USE',
      message: 'remove data: volume is in use - [c1, c2]',
    });
  }
  assert.ok(existsSync(join(dir, 'data/_data')));
});

test('a removed volume’s data is gone, and a new one of the name does not find it', async () => {
  const { volumes, dir, events } = bench();
  const { mountpoint } = await volumes.create({ name: 'data' });
  writeFileSync(join(mountpoint, 'secret'), 'x');
  await volumes.remove('data', false);
  assert.deepEqual(readdirSync(dir), []);
  assert.throws(() => volumes.get('data'), { code: 'NO_SUCH_VOLUME', message: 'get data: no such volume' });
  assert.ok(await isEmptyVolume(await volumes.create({ name: 'data' })));
  assert.deepEqual(events, ['volume create data', 'volume destroy data', 'volume create data']);
});

test('removing what is not there fails, unless by force; a volume whose folder somebody deleted can be removed', async () => {
  const { volumes, dir, names } = bench();
  await assert.rejects(volumes.remove('absent', false), { kind: 'notFound', code: 'NO_SUCH_VOLUME' });
  await volumes.remove('absent', true);
  await volumes.create({ name: 'data' });
  rmSync(join(dir, 'data'), { recursive: true });
  await volumes.remove('data', false);
  assert.deepEqual(names(), []);
});

test('when the records cannot be written, a removal fails and the data is still there', async () => {
  const { dir, db } = bench();
  const { volumes, names, events } = bench({ dir, db: failing(db, 'DELETE FROM volumes') });
  const { mountpoint } = await volumes.create({ name: 'data' });
  writeFileSync(join(mountpoint, 'kept'), 'x');
  await assert.rejects(volumes.remove('data', false), /disk full/);
  assert.deepEqual([names(), readdirSync(mountpoint), events.length], [['data'], ['kept'], 1]);
});

test('a restart finds volumes with labels and owners, makes lost folders, and ends removals that were cut off', async () => {
  const first = bench();
  await first.volumes.create({ name: 'data', labels: { a: '1' } });
  const owned = await first.volumes.create({ owner: 'c1' });
  rmSync(join(first.dir, 'data'), { recursive: true });
  mkdirSync(join(first.dir, '.removed-abc/_data'), { recursive: true });
  const { volumes, names } = bench(first);
  assert.deepEqual(volumes.get('data').labels, { a: '1' });
  assert.ok(existsSync(volumes.get('data').mountpoint));
  while (existsSync(join(first.dir, '.removed-abc'))) await new Promise((resolve) => setImmediate(resolve));
  await volumes.sweep(() => false);
  assert.ok(!names().includes(owned.name));
});

test('an anonymous volume goes with a container that was never finished; named, disowned and used ones stay', async () => {
  const { volumes, users, names } = bench();
  const lost = await volumes.create({ owner: 'dead' });
  const [alive, disowned, used] = [
    await volumes.create({ owner: 'alive' }),
    await volumes.create({ owner: 'gone' }),
    await volumes.create({ owner: 'dead' }),
  ];
  await volumes.create({ name: 'named', owner: 'dead' });
  volumes.disown('gone');
  users.set(used.name, ['c']);
  await volumes.sweep((owner) => owner === 'alive');
  assert.deepEqual(names().toSorted(), [alive.name, disowned.name, used.name, 'named'].toSorted());
  assert.ok(!names().includes(lost.name));
});

test('lists are filtered by name, driver, labels and use', async () => {
  const { volumes, users, names } = bench();
  await volumes.create({ name: 'red-data', labels: { env: 'prod', team: 'a' } });
  await volumes.create({ name: 'blue-data', labels: { env: 'test' } });
  users.set('red-data', ['c']);
  const both = ['red-data', 'blue-data'];
  for (const [filters, wanted] of [
    [{}, both],
    [{ name: ['data'] }, both],
    [{ name: ['red', 'nothing'] }, ['red-data']],
    [{ driver: ['local'] }, both],
    [{ driver: ['nfs'] }, []],
    [{ label: ['env'] }, both],
    [{ label: ['env=prod'] }, ['red-data']],
    [{ label: ['env=prod', 'team=b'] }, []],
    [{ 'label!': ['team'] }, ['blue-data']],
    [{ dangling: ['true'] }, ['blue-data']],
    [{ dangling: ['1'] }, ['blue-data']],
    [{ dangling: ['false'] }, ['red-data']],
    [{ name: ['data'], dangling: ['0'] }, ['red-data']],
  ] as const) {
    assert.deepEqual(names(filters as Record<string, readonly string[]>), wanted, JSON.stringify(filters));
  }
});

test('a prune takes unused anonymous volumes and tells their bytes; named ones only with all=true, used ones never', async () => {
  const { volumes, users, names } = bench();
  const [free, used] = [await volumes.create({}), await volumes.create({})];
  const named = await volumes.create({ name: 'named' });
  writeFileSync(join(free.mountpoint, 'file'), '12345');
  writeFileSync(join(named.mountpoint, 'file'), '123');
  users.set(used.name, ['c']);
  assert.deepEqual(await volumes.prune(new Map()), { names: [free.name], reclaimedBytes: 5 });
  assert.deepEqual(await volumes.prune(new Map([['all', ['false']]])), { names: [], reclaimedBytes: 0 });
  assert.deepEqual(await volumes.prune(new Map([['all', ['true']]])), { names: ['named'], reclaimedBytes: 3 });
  assert.deepEqual(names(), [used.name]);
});

test('a volume that a container came to use during a prune stays, and its bytes are not counted', async () => {
  const { volumes, users, names } = bench();
  const { name, mountpoint } = await volumes.create({});
  writeFileSync(join(mountpoint, 'file'), '12345');
  const pruning = volumes.prune(new Map());
  users.set(name, ['c']);
  assert.deepEqual(await pruning, { names: [], reclaimedBytes: 0 });
  assert.deepEqual(names(), [name]);
});

test('after records were lost, folders become volumes again; one without data can be mounted, and rubbish stays rubbish', async () => {
  const { volumes, dir, names } = bench();
  const anonymous = 'ab'.repeat(32);
  for (const path of ['data/_data', `${anonymous}/_data`, 'half-made', '.removed-x', 'x']) {
    mkdirSync(join(dir, path), { recursive: true });
  }
  writeFileSync(join(dir, 'file-no-volume'), '');
  await volumes.create({ name: 'known' });
  assert.deepEqual((await volumes.adopt()).toSorted(), [anonymous, 'data', 'half-made']);
  assert.deepEqual(names().toSorted(), [anonymous, 'data', 'half-made', 'known']);
  assert.deepEqual([volumes.get('data').anonymous, volumes.get(anonymous).anonymous], [false, true]);
  assert.ok(await isEmptyVolume(volumes.get('half-made')));
  assert.deepEqual(await volumes.adopt(), []);
});

test('only a volume that holds nothing gets its image’s content', async () => {
  const { volumes } = bench();
  const record = await volumes.create({ name: 'data' });
  assert.equal(await isEmptyVolume(record), true);
  writeFileSync(join(record.mountpoint, '.hidden'), '');
  assert.equal(await isEmptyVolume(record), false);
});
