import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openRooted } from '../../host/rooted/index.ts';
import { GantryError } from '../../lib/errors.ts';
import type { MountRecord } from '../containers/types.ts';
import { bundleInput, ROOT_USER } from './bundle-input.ts';
import { createExecLauncher } from './exec.ts';
import { checkExecRequest } from './exec-check.ts';
import { gatherHostResources, NO_HOST_RESOURCES } from './facts.ts';
import { inDockersWords } from './failure.ts';
import { makeMountPoints } from './mount-points.ts';
import { mountSteps, runtimeSource, subpathFailure } from './mount-steps.ts';
import { createSandboxes } from './sandbox.ts';
import { probeSource } from './source-probe.ts';
import { ID, openRunsBench } from './testing/fake-spawner.ts';

const mount = (change: Partial<MountRecord>): MountRecord => ({
  type: 'bind',
  source: '/src',
  destination: '/dst',
  mode: '',
  writable: true,
  propagation: 'rprivate',
  ...change,
});

const REQUEST = {
  command: ['sh'],
  tty: false,
  stdin: false,
  stdout: true,
  stderr: true,
  env: [],
  user: '',
  workingDir: '',
  privileged: false,
  detachKeys: '',
};

test('only mounts that travel, and parts of volumes, are made ready by the shim; each finds its own source', () => {
  const mounts = [
    mount({}),
    mount({ propagation: 'rshared' }),
    mount({ type: 'volume', subpath: 'a' }),
    mount({ propagation: 'shared', source: '/two' }),
    mount({ type: 'volume', propagation: 'rshared' }),
  ];
  const { before, after } = mountSteps('/run', mounts);
  assert.deepEqual(before, [
    { verb: 'hold', path: '/src' },
    { verb: 'hold', path: '/two' },
  ]);
  assert.deepEqual(after, [
    { verb: 'put', path: '/run/source-1' },
    { verb: 'bind', root: '/src', path: 'a', target: '/run/source-2' },
    { verb: 'put', path: '/run/source-3' },
  ]);
  const sources = mounts.map((one, index) => runtimeSource('/run', one, index));
  assert.deepEqual(sources, ['/src', '/run/source-1', '/run/source-2', '/run/source-3', '/src']);
});

test('only a missing part of a volume is told as one', () => {
  const failed = (stage: string, text: string) =>
    new GantryError('system', 'SHIM_FAILED', 'x', { params: { stage, errno: 2, text } });
  const mounts = [mount({ type: 'volume', source: '/v', subpath: 'a/b' })];
  const told = subpathFailure(failed('step:bind', 'a/b: Not a directory'), mounts);
  assert.equal((told as Error).message, 'cannot access path /v/a/b: lstat /v/a/b: not a directory');
  for (const other of [failed('step:mount', 'a/b: x'), failed('step:bind', 'c: x'), new Error('a/b: x')])
    assert.equal(subpathFailure(other, mounts), other);
});

test('a failure that is not the shim’s stays as it is', () => {
  const attempt = { phase: 'create', driver: { name: 'crun', dialect: 'crun' }, command: ['sh'] } as never;
  for (const error of [new Error('a bug'), new GantryError('exhausted', 'DISK_FULL', 'full')])
    assert.equal(inDockersWords(error, attempt), error);
});

test('an exec’s request that the runtime would read otherwise is refused, with Docker’s exit code', () => {
  for (const [change, exitCode, message] of [
    [{ workingDir: 'rel' }, 128, /Cwd must be an absolute path$/],
    [{ workingDir: '/a\0b' }, 128, /chdir to cwd .* invalid argument$/],
    [{ env: ['=x'] }, 128, /invalid environment variable: name cannot be empty$/],
    [{ env: ['A=b\0C=d'] }, 128, /invalid environment variable "A": contains nul byte/],
    [{ command: ['a\0b'] }, 127, /executable file not found in \$PATH$/],
    [{ command: ['sh', 'a\0b'] }, 128, /invalid argument$/],
  ] as const) {
    const error = { code: 'START_FAILED', message, params: { exitCode } };
    assert.throws(() => checkExecRequest({ ...REQUEST, ...change }), error, JSON.stringify(change));
  }
  checkExecRequest({ ...REQUEST, env: ['A', 'B=', 'C=d'], workingDir: '/' });
});

test('the daemon’s seccomp profile is not for privileged containers; a container’s own option comes last and counts', (t) => {
  const bench = openRunsBench(t);
  const host = { ...bench.deps.host, securityOptions: ['no-new-privileges', 'seccomp={}'] };
  const options = (hostConfig: object) =>
    bundleInput({
      host,
      runtime: bench.driver.traits,
      record: bench.record({ hostConfig }),
      paths: bench.paths(ID),
      rootfsPath: '/',
      user: ROOT_USER,
      peers: {},
      resources: NO_HOST_RESOURCES,
    }).hostConfig.SecurityOpt;
  assert.deepEqual(options({}), ['no-new-privileges', 'seccomp={}']);
  assert.deepEqual(options({ SecurityOpt: ['seccomp=unconfined'] })?.at(-1), 'seccomp=unconfined');
  assert.deepEqual(options({ Privileged: true }), ['no-new-privileges']);
});

test('a process gets the network of its mode: its own, the host’s, or that of the container it joins', (t) => {
  const bench = openRunsBench(t);
  const place = (NetworkMode: string) =>
    bundleInput({
      host: bench.deps.host,
      runtime: bench.driver.traits,
      record: bench.record({ hostConfig: { NetworkMode } }),
      paths: bench.paths(ID),
      rootfsPath: '/',
      user: ROOT_USER,
      peers: { network: 55, pid: 56, ipc: 57 },
      resources: NO_HOST_RESOURCES,
    });
  assert.deepEqual(place('bridge').network, { kind: 'own' });
  assert.deepEqual(place('none').network, { kind: 'own' });
  assert.deepEqual(place('host').network, { kind: 'host' });
  const { network, joinPid, joinIpc } = place('container:x');
  assert.deepEqual([network, joinPid, joinIpc], [{ kind: 'join', pid: 55 }, 56, 57]);
});

test('a bind source that does not answer costs ten seconds at most, and says ETIMEDOUT', async () => {
  const asked: unknown[] = [];
  const probe = (failure?: Error, create = false) =>
    probeSource(
      {
        run: async (request) => {
          asked.push(request);
          if (failure) throw failure;
          return { code: 0, out: '', err: '' };
        },
      },
      { path: '/srv', create },
    );
  assert.equal(await probe(), 0);
  assert.equal(await probe(undefined, true), 0);
  assert.deepEqual(asked, [
    { args: [], steps: [{ verb: 'stat', path: '/srv' }], timeoutMs: 10_000 },
    { args: [], steps: [{ verb: 'mkdirs', path: '/srv' }], timeoutMs: 10_000 },
  ]);
  const failed = (errno: number) => new GantryError('system', 'SHIM_FAILED', 'x', { params: { errno } });
  assert.equal(await probe(failed(2)), 2);
  assert.equal(await probe(new GantryError('unavailable', 'SHIM_SILENT', 'x')), constants.errno.ETIMEDOUT);
  await assert.rejects(probe(failed(0)), { code: 'SHIM_FAILED' });
  await assert.rejects(probe(new GantryError('unavailable', 'SHIM_GONE', 'x')), { code: 'SHIM_GONE' });
});

/** A root file system, and a folder beside it that must stay empty. */
function makeRoot(t: TestContext): { readonly root: string; readonly outside: string } {
  const base = mkdtempSync(join(tmpdir(), 'gantry-mount-points-'));
  t.after(() => rmSync(base, { recursive: true }));
  for (const name of ['root', 'outside']) mkdirSync(join(base, name));
  return { root: join(base, 'root'), outside: join(base, 'outside') };
}

test('a mount point that is a link into nothing is made where the link leads, inside the root', (t) => {
  const { root, outside } = makeRoot(t);
  symlinkSync('/var/lib/data', join(root, 'data'));
  symlinkSync('../../../../run/app', join(root, 'climbing'));
  symlinkSync(join(outside, 'file'), join(root, 'absolute'));
  symlinkSync('loop', join(root, 'loop'));
  mkdirSync(join(root, 'there'));
  const place = (destination: string, sourceIsDirectory: boolean) => ({ ...mount({ destination }), sourceIsDirectory });
  using rooted = openRooted(root);
  const config = { WorkingDir: '/data/work' };
  makeMountPoints(rooted, { config } as never, [
    place('/climbing/conf', false),
    place('/absolute', false),
    place('/loop', true),
    place('/there', true),
    place('/plain', true),
  ]);
  assert.ok(lstatSync(join(root, 'var/lib/data/work')).isDirectory());
  assert.ok(lstatSync(join(root, 'run/app/conf')).isFile());
  assert.ok(lstatSync(join(root, outside, 'file')).isFile());
  assert.ok(!existsSync(join(outside, 'file')), 'nothing is made on the host');
  assert.ok(!existsSync(join(root, 'plain')), 'what is no link is the runtime’s to make');
});

test('a place below another mount is left to that mount', (t) => {
  const { root } = makeRoot(t);
  mkdirSync(join(root, 'data'));
  symlinkSync('/elsewhere', join(root, 'data', 'in'));
  using rooted = openRooted(root);
  const places = ['/data', '/data/in'].map((destination) => ({ ...mount({ destination }), sourceIsDirectory: true }));
  makeMountPoints(rooted, { config: {} } as never, places);
  assert.ok(!existsSync(join(root, 'elsewhere')));
});

test('a device or block device that is not there is named as Docker names it', async (t) => {
  const { root } = makeRoot(t);
  const gather = (hostConfig: object, mounts: readonly MountRecord[] = []) =>
    gatherHostResources({ hostConfig, mounts } as never, '/run');
  const missing = join(root, 'sdx');
  await assert.rejects(gather({ BlkioDeviceReadBps: [{ Path: missing, Rate: 1 }] }), {
    code: 'BLOCK_DEVICE_MISSING',
    message: `stat ${missing}: no such file or directory`,
  });
  await assert.rejects(gather({ BlkioWeightDevice: [{ Path: root, Weight: 1 }] }), {
    message: `${root} is no block device`,
  });
  await assert.rejects(gather({ Devices: [{ PathOnHost: missing }] }), { code: 'DEVICE_NOT_FOUND' });
  writeFileSync(join(root, 'file'), '');
  const { mounts, devices } = await gather({ Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x' }] }, [
    mount({ source: join(root, 'file') }),
    mount({ source: root }),
    mount({ type: 'tmpfs', source: '' }),
  ]);
  assert.deepEqual(
    mounts.map(({ sourceIsDirectory }) => sourceIsDirectory),
    [false, true, true],
  );
  assert.deepEqual(
    devices.map(({ path, access }) => [path, access]),
    [['/dev/x', 'rwm']],
  );
});

test('a sandbox holds just the namespaces that were asked for, and lets go of them with its folder', async (t) => {
  const bench = openRunsBench(t);
  const sandboxes = createSandboxes(bench.deps);
  const steps = [{ verb: 'write', path: '/proc/sys/net/x', text: '1' }] as const;
  {
    await using sandbox = await sandboxes.open({ network: true, ipc: false, uts: true, steps });
    assert.equal(sandbox.namespace('net'), `/proc/${sandbox.pid}/ns/net`);
    const [spec] = bench.spawner.specs;
    assert.deepEqual(
      spec?.steps.map((step) => ('what' in step ? step.what : step.verb)),
      ['mount', 'uts', 'net', 'write'],
    );
    assert.deepEqual(spec?.args, [], 'it runs nothing');
  }
  assert.deepEqual(bench.spawner.shims[0]?.calls, ['abandon']);
  assert.ok(!existsSync(bench.spawner.specs[0]?.dir ?? ''));
});

test('an exec’s process is described in a file of its own, as the user of the image or the one asked for', async (t) => {
  const bench = openRunsBench(t);
  const launcher = createExecLauncher(bench.deps);
  const container = bench.record();
  await bench.spawner.spawn({ dir: join(bench.shimsDir, ID.slice(0, 24)) } as never);
  const run = await launcher.prepare(container, 'cd'.repeat(32), { ...REQUEST, user: 'app', env: ['X=1'] });
  t.after(() => run.connection[Symbol.dispose]());
  const described = JSON.parse(readFileSync(join(run.dir, 'process.json'), 'utf8'));
  assert.deepEqual([described.user.uid, described.args.at(-1)], [7, 'sh']);
  assert.ok(described.env.includes('X=1') && described.env.includes('PATH=/bin'));
  assert.deepEqual(await launcher.start(run, container, REQUEST), { pid: 77 });
  const spec = bench.spawner.specs[1];
  assert.deepEqual([spec?.stdin, spec?.terminal, spec?.session], ['none', undefined, 9]);
  await assert.rejects(launcher.check(container, { ...REQUEST, user: 'nosuch' }), /unable to find user nosuch/);
  await launcher.sweep('cd'.repeat(32));
  assert.ok(!existsSync(run.dir));
});
