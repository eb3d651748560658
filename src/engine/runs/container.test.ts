import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createContainerLauncher } from './container.ts';
import { ID, openRunsBench } from './testing/fake-spawner.ts';

const RUN = ID.slice(0, 24);

test('a shim enters its own mounts before it takes what it mounts there, and its network before the runtime', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const shared = {
    type: 'bind',
    source: '/srv',
    destination: '/srv',
    mode: '',
    writable: true,
    propagation: 'rshared',
  };
  const part = {
    type: 'volume',
    source: '/v',
    destination: '/v',
    mode: '',
    writable: true,
    propagation: '',
    subpath: 'a',
  };
  const sysctl = { Sysctls: { 'net.core.somaxconn': '5' } };
  const plain = bench.record();
  const record = { ...plain, hostConfig: { ...plain.hostConfig, ...sysctl }, mounts: [shared, part] as never };
  await launcher.prepare(bench.request(record));
  const [spec] = bench.spawner.specs;
  const steps = spec?.steps.map((step) => ('what' in step ? `${step.verb} ${step.what}` : step.verb));
  const each = steps?.filter((step, at) => step !== steps[at - 1]);
  assert.deepEqual(each, ['hold', 'unshare mount', 'put', 'bind', 'unshare net', 'write', 'mkdir', 'chdir']);
  await launcher.prepare({ ...bench.request(record), ownNetwork: false });
  const joined = bench.spawner.specs[1]?.steps.filter(({ verb }) => verb === 'unshare' || verb === 'write');
  assert.deepEqual(joined, [{ verb: 'unshare', what: 'mount' }], 'another’s network is not changed');
});

test('a shim gets what the container asked for: terminal, stdin, log, and a place in its cgroup', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  await launcher.prepare(bench.request(bench.record()));
  const plain = bench.spawner.specs[0] ?? assert.fail();
  assert.deepEqual([plain.stdin, plain.stdinOnce, plain.terminal], ['none', false, undefined]);
  assert.deepEqual(plain.log, {
    path: bench.paths(ID).log,
    maxSizeBytes: 20 * 2 ** 20,
    maxFiles: 5,
    compressArgs: undefined,
    attrsJson: undefined,
  });
  assert.equal(plain.oomFile, `/sys/gantry/${ID}/memory.events`);
  assert.ok((plain.oomScoreAdj ?? 0) < 0, 'the last to be killed for memory');
  const record = bench.record({
    config: { Tty: true, OpenStdin: true, StdinOnce: true, Labels: { tier: 'front' } },
    hostConfig: { ConsoleSize: [24, 80] },
    logOptions: { compress: 'true', labels: 'tier' },
  });
  await launcher.prepare(bench.request(record));
  const tty = bench.spawner.specs[1] ?? assert.fail();
  assert.deepEqual([tty.stdin, tty.stdinOnce], ['open', true]);
  assert.deepEqual(tty.terminal, { rows: 24, columns: 80, consoleSocket: 'console' });
  assert.deepEqual([tty.log?.compressArgs, tty.log?.attrsJson], [['gzip', '--force'], '{"tier":"front"}']);
  await launcher.prepare(bench.request(bench.record({ logDriver: 'none' })));
  assert.equal(bench.spawner.specs[2]?.log, undefined);
});

test('what a killed shim left in the runtime is deleted before the next run, and only then', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  await launcher.prepare(bench.request(bench.record()));
  assert.equal(bench.spawner.commands.length, 0);
  mkdirSync(join(bench.driver.stateDir, ID));
  await launcher.prepare(bench.request(bench.record()));
  assert.deepEqual(bench.spawner.commands[0]?.args.slice(-3), ['delete', '--force', ID]);
});

test('steps that fail are told in Docker’s words, also when the shim is gone before it is heard', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  bench.spawner.first = (shim) => {
    writeFileSync(join(shim.dir, 'exit'), 'stage=step:mount\nerrno=2\ntext=overlay\n');
    shim.dying = true;
  };
  await assert.rejects(launcher.prepare(bench.request(bench.record())), {
    code: 'START_FAILED',
    message: /failed to create task for container: .*step:mount: overlay: no such file or directory/,
  });
  const part = {
    type: 'volume',
    source: '/v',
    destination: '/v',
    mode: '',
    writable: true,
    propagation: '',
    subpath: 'a/b',
  };
  let ended = false;
  bench.spawner.first = (shim) => {
    shim.tell([
      ['ev', 'failed'],
      ['stage', 'step:bind'],
      ['errno', '2'],
      ['text', 'a/b: No such file or directory'],
    ]);
    setTimeout(() => {
      ended = true;
      shim.hangUp();
    }, 20);
  };
  await assert.rejects(launcher.prepare(bench.request(bench.record({ mounts: [part] as never }))), {
    kind: 'notFound',
    code: 'VOLUME_SUBPATH',
    message: 'cannot access path /v/a/b: lstat /v/a/b: no such file or directory',
  });
  assert.ok(ended, 'the shim has cleaned up before another may be made');
});

test('a start answers with the process, or with Docker’s words and exit code', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const record = bench.record();
  const good = await launcher.prepare(bench.request(record));
  assert.deepEqual(await launcher.start(good, record), { pid: 77, atUnixNs: 5n });
  bench.spawner.started = (shim) =>
    shim.tell([
      ['ev', 'failed'],
      ['stage', 'runtime'],
      ['errno', '0'],
      ['text', 'executable file `sh` not found in $PATH: No such file or directory\n'],
    ]);
  const bad = await launcher.prepare(bench.request(record));
  const failure = await launcher.start(bad, record).catch((error: unknown) => error);
  assert.match(String(failure), /exec: "sh": executable file not found in \$PATH/);
  assert.equal(launcher.exitCodeOf(failure), 127);
  assert.equal(launcher.exitCodeOf(new Error('x')), 128);
});

test('a container’s user is one of its own files; its configuration is nobody else’s to read', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const configure = async (User: string) => {
    const record = bench.record({ config: { User, WorkingDir: '/' } });
    const prepared = await launcher.prepare(bench.request(record));
    await launcher.configure(prepared, { record, paths: bench.paths(ID), peers: {} });
    return join(prepared.run.dir, 'config.json');
  };
  const path = await configure('app');
  const { process } = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual([process.user.uid, process.user.gid], [7, 8]);
  assert.deepEqual(process.args, ['sh', '-c', 'x']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(configure('root2'), /unable to find user root2: no matching entries in passwd file/);
});

test('a runtime that is not there is named, before anything is made', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const record = bench.record({ runtime: 'kata' });
  const refused = { kind: 'invalid', message: 'unknown or invalid runtime name: kata' } as const;
  await assert.rejects(async () => launcher.prepare(bench.request(record)), refused);
  await assert.rejects(async () => launcher.pause(record), refused);
  assert.deepEqual(bench.spawner.specs, []);
});

test('a container is frozen by its runtime, whose words are told when it cannot', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  await launcher.pause(bench.record());
  await launcher.unpause(bench.record());
  assert.deepEqual(
    bench.spawner.commands.map(({ args }) => args.slice(-2)),
    [
      ['pause', ID],
      ['resume', ID],
    ],
  );
  bench.spawner.result = () => ({ code: 1, out: '', err: 'no freezer\n' });
  await assert.rejects(launcher.pause(bench.record()), { code: 'RUNTIME_FAILED', message: 'crun: no freezer' });
  bench.spawner.result = () => ({ code: 3, out: '', err: '' });
  await assert.rejects(launcher.pause(bench.record()), { message: 'crun: exit status 3' });
});

test('a signal past the shim reaches a process of the container, and never one that has its old number', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const kill = t.mock.method(process, 'kill', () => true);
  await launcher.signal(bench.record(), 9);
  assert.equal(kill.mock.callCount(), 0);
  bench.pids.set(`/gantry/${ID}`, [5, 77]);
  await launcher.signal(bench.record(), 9);
  assert.deepEqual(kill.mock.calls[0]?.arguments, [77, 9]);
  assert.deepEqual(await launcher.pids(bench.record()), [5, 77]);
  kill.mock.mockImplementation(() => {
    throw Object.assign(new Error('gone'), { code: 'ESRCH' });
  });
  await launcher.signal(bench.record(), 9);
});

test('a sweep frees runtime state, cgroup and folder, and does not mind that they are gone', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  mkdirSync(join(bench.shimsDir, RUN));
  mkdirSync(join(bench.driver.stateDir, ID));
  bench.spawner.result = () => {
    throw new Error('the runtime hangs');
  };
  await launcher.sweep(bench.record());
  assert.equal(bench.spawner.commands.length, 1);
  assert.deepEqual(bench.removedCgroups, [`/gantry/${ID}`]);
  assert.ok(!existsSync(join(bench.shimsDir, RUN)));
  await launcher.sweep(bench.record({ runtime: 'no longer here', hostConfig: { CgroupParent: '../own' } }));
  assert.deepEqual(bench.removedCgroups[1], `/own/${ID}`);
});

test('a shim that outlived the daemon is joined; one that is gone is not, one that is stopped is silent', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  assert.equal(await launcher.adopt(ID), undefined);
  assert.equal(await launcher.rootOf(ID), undefined);
  await launcher.prepare(bench.request(bench.record()));
  const run = await launcher.adopt(ID);
  assert.equal(run?.connection.latest?.kind, 'ready');
  assert.match((await launcher.rootOf(ID)) ?? '', /^\/proc\/\d+\/root.*\/rootfs$/);
  run?.connection[Symbol.dispose]();
  bench.spawner.first = () => undefined;
  await bench.spawner.shims[0]?.[Symbol.asyncDispose]();
  await bench.spawner.spawn({ ...bench.spawner.specs[0], dir: join(bench.shimsDir, RUN) } as never);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const adopted = launcher.adopt(ID);
  let silent: Awaited<typeof adopted> | undefined;
  const done = adopted.then((found) => {
    silent = found;
  });
  while (silent === undefined) {
    await setImmediate();
    t.mock.timers.tick(1000);
  }
  await done;
  assert.equal(silent.connection.latest, undefined);
  silent.connection[Symbol.dispose]();
});

test('what belongs to no container is freed: states, cgroups, shims that nobody will start', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const other = 'cd'.repeat(32);
  const exec = 'ef'.repeat(32);
  for (const name of [ID, other, 'not-an-id']) mkdirSync(join(bench.driver.stateDir, name));
  bench.cgroupChildren = [ID, other];
  await launcher.prepare(bench.request(bench.record({ id: exec })));
  mkdirSync(join(bench.shimsDir, RUN));
  const work: Promise<unknown>[] = [];
  await launcher.sweepOrphans(new Set([ID]), (one) => work.push(one));
  await Promise.all(work);
  assert.deepEqual(
    bench.spawner.commands.map(({ args }) => args.at(-1)),
    [other],
  );
  assert.deepEqual(bench.removedCgroups, [`/gantry/${other}`]);
  assert.deepEqual(bench.spawner.shims[0]?.calls, ['abandon'], 'it was never started');
  assert.ok(!existsSync(join(bench.shimsDir, exec.slice(0, 24))));
  assert.ok(existsSync(join(bench.shimsDir, RUN)));
});

test('an exec that outlived its daemon runs on, and its folder is freed when it ends', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createContainerLauncher(bench.deps);
  const { run } = await launcher.prepare(bench.request(bench.record()));
  run.connection[Symbol.dispose]();
  const [shim] = bench.spawner.shims;
  shim?.tell([
    ['ev', 'started'],
    ['pid', '77'],
    ['at', '5'],
  ]);
  const work: Promise<unknown>[] = [];
  await launcher.sweepOrphans(new Set(), (one) => work.push(one));
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  assert.equal(shim?.calls.length, 0);
  assert.ok(existsSync(join(bench.shimsDir, RUN)));
  shim?.hangUp();
  await Promise.all(work);
  assert.ok(!existsSync(join(bench.shimsDir, RUN)));
});
