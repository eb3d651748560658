import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSystem, type SystemDeps } from './index.ts';

const DEPS: SystemDeps = {
  version: '1.2.3',
  dataRoot: '/var/lib/gantry',
  id: 'the-id',
  settings: {
    now: {
      debug: true,
      labels: ['a=b'],
      registryMirrors: ['https://m.example/'],
      insecureRegistries: ['local:5000', '10.0.0.0/8'],
    },
    defaultRuntime: 'crun',
    runtimes: ['crun', 'gone'],
    drivers: new Map([['crun', { binary: '/usr/bin/crun', version: '1.8' }]]),
  },
  logDriver: 'json-file',
  logDrivers: ['json-file', 'none'],
  cgroupVersion: 2,
  addressPools: [{ base: '172.17.0.0/16', size: 24 }],
  experimental: false,
  securityOptions: () => ['name=seccomp,profile=builtin'],
  initBinary: '/shim',
  warnings: () => ['a warning'],
  driverStatus: [['Backing Filesystem', 'ext4']],
  counts: () => ({ running: 3, paused: 1, stopped: 4, images: 7 }),
};

test('info counts what there is, and shows what is set', async () => {
  const info = await createSystem(DEPS).info();
  assert.deepEqual(
    [info.Containers, info.ContainersRunning, info.ContainersPaused, info.ContainersStopped, info.Images],
    [8, 3, 1, 4, 7],
  );
  assert.partialDeepStrictEqual(info, {
    ID: 'the-id',
    ServerVersion: '1.2.3',
    Debug: true,
    Labels: ['a=b'],
    DockerRootDir: '/var/lib/gantry',
    DefaultRuntime: 'crun',
    Runtimes: { crun: { path: '/usr/bin/crun' }, gone: { path: '' } },
    RuncCommit: { ID: '1.8' },
    Warnings: ['a warning'],
    DefaultAddressPools: [{ Base: '172.17.0.0/16', Size: 24 }],
    LiveRestoreEnabled: true,
    CgroupVersion: '2',
  });
});

test('info tells which registries are mirrored, and which are not encrypted', async () => {
  const { RegistryConfig } = await createSystem(DEPS).info();
  assert.deepEqual(RegistryConfig?.InsecureRegistryCIDRs, ['::1/128', '127.0.0.0/8', '10.0.0.0/8']);
  assert.partialDeepStrictEqual(RegistryConfig?.IndexConfigs, {
    'docker.io': { Mirrors: ['https://m.example/'], Secure: true, Official: true },
    'local:5000': { Mirrors: [], Secure: false, Official: false },
  });
});

test('a proxy’s password is shown to nobody', async (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  for (const [url, shown] of [
    ['http://me:secret@proxy:3128', 'http://xxxxx:xxxxx@proxy:3128'],
    ['https://token@proxy', 'https://xxxxx:xxxxx@proxy'],
    ['http://proxy:3128/a@b', 'http://proxy:3128/a@b'],
  ] as const) {
    process.env = { HTTP_PROXY: url, https_proxy: url };
    const { HttpProxy, HttpsProxy, NoProxy } = await createSystem(DEPS).info();
    assert.deepEqual([HttpProxy, HttpsProxy, NoProxy], [shown, shown, '']);
  }
});

test('version names each runtime, and the oldest API version that is answered', async () => {
  const version = await createSystem(DEPS).version();
  assert.deepEqual(
    version.Components?.map(({ Name, Version }) => [Name, Version]),
    [
      ['Engine', '1.2.3'],
      ['crun', '1.8'],
      ['gone', ''],
    ],
  );
  assert.deepEqual([version.MinAPIVersion, 'Experimental' in version], ['1.24', false]);
  const other = await createSystem({ ...DEPS, minApiVersion: '1.40', experimental: true }).version();
  assert.deepEqual([other.MinAPIVersion, other.Experimental], ['1.40', true]);
});
