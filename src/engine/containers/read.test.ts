import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filterRecords } from './filter.ts';
import { type Bench, openBench } from './testing/bench.ts';

const namesOf = (bench: Bench, filters: Record<string, string[]> = {}, rest: { all?: boolean; limit?: number } = {}) =>
  bench.face
    .list({ all: rest.all ?? false, limit: rest.limit, filters: new Map(Object.entries(filters)) })
    .map(({ record }) => record.name);

/** `old` has ended with 3, `new` runs, `made` was only made, `again` waits for its restart. */
async function four(bench: Bench): Promise<void> {
  const old = await bench.run('old', { Labels: { tier: 'front' }, ExposedPorts: { '80/tcp': {} } });
  await bench.exit(old, 3);
  await bench.run('new', {
    Labels: { tier: 'back', x: '' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    HostConfig: { Binds: ['data:/data', '/srv:/srv'] },
  });
  await bench.create('made', { HostConfig: { NetworkMode: 'none' } });
  const again = await bench.create('again');
  bench.records.update(again, { state: { phase: 'restarting' } });
}

test('a list shows what runs, newest first; all, or a number, or a status shows the rest too', async (t) => {
  const bench = openBench(t);
  await four(bench);
  assert.deepEqual(namesOf(bench), ['again', 'new']);
  assert.deepEqual(namesOf(bench, {}, { all: true }), ['again', 'made', 'new', 'old']);
  assert.deepEqual(namesOf(bench, {}, { limit: 3 }), ['again', 'made', 'new']);
  assert.deepEqual(namesOf(bench, { status: ['exited'] }), ['old']);
  assert.deepEqual(namesOf(bench, { status: ['exited', 'created'] }), ['made', 'old']);
});

test('each filter shows the containers that it names', async (t) => {
  const bench = openBench(t);
  await four(bench);
  const id = bench.records.find('old').id;
  bench.health.set(bench.records.find('new').id, { status: 'healthy', failingStreak: 0, log: [] });
  bench.health.delete(id);
  for (const [filters, names] of [
    [{ id: [id.slice(0, 10)] }, ['old']],
    [{ id: [''] }, []],
    [{ name: ['^/ol', 'mad'] }, ['made', 'old']],
    [{ label: ['tier'] }, ['new', 'old']],
    [{ label: ['tier=back', 'x'] }, ['new']],
    [{ 'label!': ['tier'] }, ['again', 'made']],
    [{ exited: ['3', '4'] }, ['old']],
    [{ exited: ['0'] }, []],
    [{ ancestor: ['busybox'] }, ['again', 'made', 'new', 'old']],
    [{ ancestor: ['nginx'] }, []],
    [{ before: ['made'] }, ['new', 'old']],
    [{ before: ['made', 'new'] }, ['old']],
    [{ since: ['new'] }, ['again', 'made']],
    [{ volume: ['data'] }, ['new']],
    [{ volume: ['/srv'] }, ['new']],
    [{ network: ['none'] }, ['made']],
    [{ network: ['none-'] }, ['made']],
    [{ expose: ['80'] }, ['new']],
    [{ expose: ['53/udp'] }, ['new']],
    [{ expose: ['53'] }, []],
    [{ expose: ['70-90/tcp'] }, ['new']],
    [{ health: ['healthy'] }, ['new']],
    [{ health: ['none'] }, ['again', 'made', 'old']],
    [{ 'is-task': ['true'] }, []],
    [{ 'is-task': ['false'] }, ['again', 'made', 'new', 'old']],
    [{ name: ['old'], status: ['running'] }, []],
    [{ name: [] }, ['again', 'made', 'new', 'old']],
  ] as const) {
    const asked = Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, [...values]]));
    assert.deepEqual(namesOf(bench, asked, { all: true }), names, JSON.stringify(filters));
  }
});

test('a filter that says nothing sensible is refused, not passed over', async (t) => {
  const bench = openBench(t);
  await bench.create('web');
  for (const [filters, message] of [
    [{ bogus: ['1'] }, "invalid filter 'bogus'"],
    [{ status: ['running', 'asleep'] }, "invalid filter 'status=asleep'"],
    [{ exited: ['x'] }, 'strconv.Atoi: parsing "x": invalid syntax'],
    [{ until: ['soon'] }, "invalid filter 'until=soon'"],
  ] as const) {
    const asked = Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, [...values]]));
    assert.throws(() => namesOf(bench, asked), { kind: 'invalid', message });
  }
  assert.throws(() => namesOf(bench, { before: ['gone'] }), { message: 'No such container: gone' });
});

test('a published port is found by number, range and protocol', () => {
  const port = { containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 } as const;
  const record = { endpoints: [{ ports: [port] }] } as never;
  const found = (value: string) => filterRecords({} as never, [record], new Map([['publish', [value]]])).length;
  assert.deepEqual(['8080', '8080/tcp', '8000-8100', '80', '8080/udp', 'x'].map(found), [1, 1, 1, 0, 0, 0]);
});

test('a view tells where files lie, how a container feels, and its execs only while it runs', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  assert.deepEqual(bench.face.view('web').execIds, []);
  await bench.face.start(id);
  const view = bench.face.view('web');
  assert.deepEqual([view.execIds, view.health?.status, view.lowerDirs], [['exec-1'], 'starting', ['/layers/1']]);
  assert.equal(view.paths.log, join(bench.dir, 'containers', id, `${id}-json.log`));
});

test('the size of a container is what it wrote, and its image’s', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const upper = join(bench.dir, 'containers', id, 'rw', 'upper');
  mkdirSync(upper, { recursive: true });
  writeFileSync(join(upper, 'file'), 'x'.repeat(50));
  assert.deepEqual(await bench.face.size('web'), { sizeRwBytes: 50, sizeRootFsBytes: 1050 });
  bench.images.gone = true;
  assert.deepEqual(await bench.face.size('web'), { sizeRwBytes: 50, sizeRootFsBytes: 50 });
});

test('a terminal is resized only where there is one, and only while it runs', async (t) => {
  const bench = openBench(t);
  const plain = await bench.run('plain');
  const tty = await bench.run('tty', { Tty: true });
  for (const id of [plain, tty]) await bench.face.resize(id, 24, 80);
  assert.ok(!bench.launcher.runOf(plain).connection.calls.includes('resize 24 80'));
  assert.equal(bench.launcher.runOf(tty).connection.calls.at(-1), 'resize 24 80');
  const { attributes } = bench.events.at(-1) ?? {};
  assert.deepEqual([attributes?.height, attributes?.width], ['24', '80']);
  await bench.face.stop(tty, {});
  await assert.rejects(bench.face.resize(tty, 1, 1), { message: `container ${tty} is not running` });
});

test('logs of a container that keeps none are refused; top needs a process', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { HostConfig: { LogConfig: { Type: 'none' } } });
  const request = { stdout: true, stderr: true, follow: false, timestamps: false, details: false };
  await assert.rejects(bench.face.logs('web', request, new AbortController().signal), {
    kind: 'notImplemented',
    message: 'configured logging driver does not support reading',
  });
  await assert.rejects(bench.face.top('web', ''), { code: 'CONTAINER_NOT_RUNNING' });
  bench.records.update(id, { state: { phase: 'restarting' } });
  await assert.rejects(bench.face.top('web', ''), { code: 'CONTAINER_RESTARTING' });
});

test('the counts of info are of Docker’s three states; an image knows who uses it', async (t) => {
  const bench = openBench(t);
  await four(bench);
  await bench.face.pause('new');
  assert.deepEqual(bench.records.counts(), { running: 1, paused: 1, stopped: 2 });
  const { imageId } = bench.records.find('new');
  assert.deepEqual(
    bench.records.ofImage(imageId).map(({ running }) => running),
    [false, true, false, false],
  );
  assert.deepEqual(bench.records.ofVolume('data'), [bench.records.find('new').id]);
});
