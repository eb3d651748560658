import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GantryError } from '../../lib/errors.ts';
import { type Bench, openBench } from './testing/bench.ts';

test('a start takes its steps in order, and tells of itself only when the process runs', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { HostConfig: { Binds: ['data:/data'] } });
  bench.steps.length = 0;
  await bench.face.start('web');
  assert.deepEqual(bench.steps, [
    'lease',
    'prepare',
    'event volume mount',
    'connect bridge',
    'configure',
    'start',
    'release',
    'event container start',
  ]);
  const { phase, pid, startedAt, exitCode, error } = bench.stateOf(id);
  assert.deepEqual([phase, pid, exitCode, error], ['running', 4242, 0, '']);
  assert.equal(startedAt, '2023-11-14T22:13:20Z', 'the moment that the shim tells, not ours');
  assert.equal(bench.health.get(id)?.status, 'starting');
  assert.equal(bench.images.leases, 0, 'the layers are held by the mount from here on');
});

test('what the process is attached to is noted before it runs: a daemon that dies then finds it', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  let noted: unknown;
  bench.launcher.onPrepare = ({ connection }) => {
    const run = connection.onStart;
    connection.onStart = () => {
      noted = bench.records.byId(id)?.endpoints.map(({ networkName }) => networkName);
      run();
    };
  };
  await bench.face.start(id);
  assert.deepEqual(noted, ['bridge']);
});

const STEPS = [
  ['the image’s layers cannot be unpacked', (bench) => void bench.images.failures.set('lease', DISK), []],
  ['the shim cannot be made', (bench) => void bench.launcher.failures.set('prepare', DISK), []],
  [
    'the network refuses',
    (bench) => void bench.networks.failures.set('connect', DISK),
    ['mount', 'disconnect', 'unmount', 'abandon'],
  ],
  [
    'the configuration is refused',
    (bench) => void bench.launcher.failures.set('configure', DISK),
    ['mount', 'disconnect', 'unmount', 'abandon'],
  ],
  [
    'the process cannot run',
    (bench) => void bench.launcher.failures.set('start', DISK),
    ['mount', 'disconnect', 'unmount', 'abandon'],
  ],
] as const satisfies readonly (readonly [string, (bench: Bench) => void, readonly string[]])[];

const DISK = new GantryError('system', 'DISK_FULL', 'no space left on device', { params: { exitCode: 127 } });

for (const [why, breakIt, undone] of STEPS) {
  test(`a start that fails because ${why} leaves nothing behind, and can be tried again`, async (t) => {
    const bench = openBench(t);
    const id = await bench.create('web', { HostConfig: { Binds: ['data:/data'] } });
    bench.steps.length = 0;
    breakIt(bench);
    bench.launcher.onPrepare = ({ connection }) => {
      const abandon = connection.abandon.bind(connection);
      connection.abandon = () => {
        bench.steps.push('abandon');
        return abandon();
      };
    };
    await assert.rejects(bench.face.start(id), /no space left on device/);
    const seen = bench.steps.flatMap((step) => /disconnect|abandon|(?:un)?mount/.exec(step)?.[0] ?? []);
    assert.deepEqual(seen, undone, 'undone in the reverse order');
    assert.deepEqual([...bench.networks.attached.keys()], []);
    assert.equal(bench.images.leases, 0);
    const { phase, pid, exitCode, error } = bench.stateOf(id);
    assert.deepEqual([phase, pid, exitCode], ['created', 0, 127]);
    assert.match(error, /no space left on device/, 'inspect says why');
    assert.deepEqual(bench.records.find(id).endpoints, []);
    assert.ok(!bench.actionsOf(id).includes('start'));
    bench.images.failures.clear();
    bench.launcher.failures.clear();
    bench.networks.failures.clear();
    await bench.face.start(id);
    assert.equal(bench.stateOf(id).phase, 'running');
    assert.equal(bench.stateOf(id).error, '');
  });
}

test('a start that fails while its network is still being plugged in unplugs what comes late', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const gate = Promise.withResolvers<void>();
  bench.networks.gate = gate.promise;
  bench.launcher.failures.set('configure', DISK);
  const failed = assert.rejects(bench.face.start(id), /no space/);
  await bench.until('configure', () => bench.steps.includes('configure'));
  gate.resolve();
  await failed;
  assert.deepEqual([...bench.networks.attached.keys()], []);
});

test('a network that refuses is named in Docker’s words; a bug keeps its own', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  bench.networks.failures.set('connect', new GantryError('conflict', 'PORT_TAKEN', 'port is taken'));
  await assert.rejects(bench.face.start(id), {
    kind: 'conflict',
    message: 'failed to set up container networking: port is taken',
  });
  bench.networks.failures.set('connect', new TypeError('a bug'));
  await assert.rejects(bench.face.start(id), { name: 'TypeError', message: 'a bug' });
});

test('a failed start of a container with --rm removes it, as nobody else would', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('job', { HostConfig: { AutoRemove: true } });
  bench.launcher.failures.set('start', DISK);
  const over = bench.face.wait(id, 'removed', () => undefined, new AbortController().signal);
  await assert.rejects(bench.face.start(id), /no space/);
  assert.deepEqual(await over, { exitCode: 127 });
  assert.equal(bench.records.byId(id), undefined);
});

test('a container is started once: again is “not modified”, a paused or going one is refused', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await assert.rejects(bench.face.start(id), { kind: 'notModified', message: `container ${id} is already running` });
  await bench.face.pause(id);
  await assert.rejects(bench.face.start(id), {
    kind: 'conflict',
    message: 'cannot start a paused container, try unpause instead',
  });
  bench.records.update(id, { state: { phase: 'removing' } });
  await assert.rejects(bench.face.start(id), { code: 'CONTAINER_BEING_REMOVED' });
  await assert.rejects(bench.face.start('nope'), { kind: 'notFound', message: 'No such container: nope' });
});

test('two starts at once are one start', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const [one, two] = await Promise.allSettled([bench.face.start(id), bench.face.start(id)]);
  assert.equal(one.status, 'fulfilled');
  assert.equal(two.status === 'rejected' && two.reason.code, 'ALREADY_RUNNING');
  assert.equal(bench.steps.filter((step) => step === 'start').length, 1);
});

test('who shares a namespace gets the process of the other, and is refused when that does not run', async (t) => {
  const bench = openBench(t);
  const peer = await bench.create('peer', { HostConfig: { IpcMode: 'private' } });
  const HostConfig = { NetworkMode: 'container:peer', PidMode: 'container:peer' };
  const joiner = await bench.create('joiner', { HostConfig });
  await assert.rejects(bench.face.start(joiner), {
    kind: 'conflict',
    message: 'cannot join network namespace of a non running container: container peer is created',
  });
  const pidOnly = await bench.create('pidonly', { HostConfig: { PidMode: 'container:peer' } });
  await assert.rejects(bench.face.start(pidOnly), {
    message: `failed to join PID namespace: container ${peer} is not running`,
  });
  await bench.face.start(peer);
  await bench.face.start(joiner);
  assert.deepEqual(bench.launcher.configured?.peers, { network: 4242, pid: 4242, ipc: undefined });
  assert.equal(bench.launcher.launched?.ownNetwork, false);
  const ipc = await bench.create('ipc', { HostConfig: { IpcMode: 'container:peer' } });
  await assert.rejects(bench.face.start(ipc), { code: 'IPC_NOT_SHAREABLE' });
  await bench.face.remove(peer, { force: true, volumes: false, link: false });
  await bench.exit(joiner, 0);
  await assert.rejects(bench.face.start(joiner), {
    message: `joining network namespace of container: No such container: ${peer}`,
  });
});

test('each network mode plugs in what it means, and nothing more', async (t) => {
  const bench = openBench(t);
  const networksOf = async (name: string, body: object): Promise<readonly unknown[]> => {
    bench.networks.requests.length = 0;
    await bench.run(name, body);
    return [bench.launcher.launched?.ownNetwork, ...bench.networks.requests.map(({ network }) => network)];
  };
  assert.deepEqual(await networksOf('default', {}), [true, 'bridge']);
  assert.deepEqual(await networksOf('host', { HostConfig: { NetworkMode: 'host' } }), [false, 'host']);
  assert.deepEqual(await networksOf('none', { HostConfig: { NetworkMode: 'none' } }), [true, 'none']);
  assert.deepEqual(await networksOf('disabled', { NetworkDisabled: true }), [true]);
});

test('a container finds its name, its address and its extra hosts in its files', async (t) => {
  const bench = openBench(t);
  bench.defaults = { dns: ['9.9.9.9'], dnsSearch: ['example.org'] };
  const id = await bench.run('web', { Hostname: 'box', HostConfig: { ExtraHosts: ['up:host-gateway', 'a:1.2.3.4'] } });
  const read = (name: string): string => readFileSync(join(bench.dir, 'containers', id, name), 'utf8');
  assert.equal(read('hostname'), 'box\n');
  assert.match(read('hosts'), /^172\.17\.0\.2\tbox$/m);
  assert.match(read('hosts'), /^172\.17\.0\.1\tup$/m);
  assert.match(read('hosts'), /^1\.2\.3\.4\ta$/m);
  assert.match(read('resolv.conf'), /^nameserver 9\.9\.9\.9$/m);
  assert.match(read('resolv.conf'), /^search example\.org$/m);
  const joiner = await bench.run('joiner', { HostConfig: { NetworkMode: `container:${id}` } });
  assert.equal(readFileSync(join(bench.dir, 'containers', joiner, 'hosts'), 'utf8'), read('hosts'));
});
