import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig, HealthConfig, ImageConfig } from '../../../spec/docker/types.gen.ts';
import { checkConfig, checkNul, mergeConfig } from './config.ts';
import { completeHostConfig, type HostFacts } from './host-config.ts';
import { checkIdentity } from './identity.ts';

const FACTS: HostFacts = {
  cpus: 2,
  support: { limits: new Set(), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
  cgroupVersion: 2,
  defaultRuntime: 'crun',
  runtimes: ['crun'],
  logDriver: 'json-file',
  logOptions: { 'max-size': '1m', 'max-file': '2' },
};

test('an image fills in what the user left open, field by field', () => {
  const image: ImageConfig = {
    User: 'app',
    Env: ['A=image', 'B=image'],
    Labels: { a: 'image', b: 'image' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    WorkingDir: '/srv//app/../app/',
    StopSignal: 'SIGQUIT',
    Shell: ['/bin/bash', '-c'],
  };
  const merged = mergeConfig({ Env: ['A=user'], Labels: { a: 'user' }, ExposedPorts: { '53/udp': {} } }, image);
  assert.deepEqual(merged.Env, ['A=user', 'B=image']);
  assert.deepEqual(merged.Labels, { a: 'user', b: 'image' });
  assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}).sort(), ['53/udp', '80/tcp']);
  assert.deepEqual([merged.User, merged.WorkingDir, merged.StopSignal], ['app', '/srv/app', 'SIGQUIT']);
  assert.deepEqual([merged.Shell, merged.Volumes], [['/bin/bash', '-c'], { '/data': {} }]);
  const own = mergeConfig({ User: '0', WorkingDir: '/', StopSignal: 'INT', Shell: ['sh'] }, image);
  assert.deepEqual([own.User, own.WorkingDir, own.StopSignal, own.Shell], ['0', '/', 'INT', ['sh']]);
});

test('a health check of the image is changed in the parts that the user names', () => {
  const image: HealthConfig = { Test: ['CMD', 'probe'], Interval: 5e9, Retries: 2 };
  const merge = (user?: HealthConfig, own: HealthConfig | undefined = image) =>
    mergeConfig({ Healthcheck: user }, { Healthcheck: own }).Healthcheck;
  assert.deepEqual(merge(), image);
  assert.partialDeepStrictEqual(merge({ Interval: 1e9 }), { Test: ['CMD', 'probe'], Interval: 1e9, Retries: 2 });
  assert.partialDeepStrictEqual(merge({ Test: ['NONE'] }), { Test: ['NONE'] });
});

test('configurations that can never work are refused in Docker’s words', () => {
  for (const [config, message] of [
    [{ Env: ['=x'] }, 'invalid environment variable: =x'],
    [{ Env: ['A=1', ''] }, 'invalid environment variable: '],
    [{ StopSignal: 'NOPE' }, 'invalid signal: NOPE'],
    [{ Healthcheck: { Interval: 999_999 } }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ Healthcheck: { Timeout: -1 } }, 'Timeout in Healthcheck cannot be less than 1ms'],
    [{ Healthcheck: { StartPeriod: 1 } }, 'StartPeriod in Healthcheck cannot be less than 1ms'],
    [{ Healthcheck: { Retries: -1 } }, 'Retries in Healthcheck cannot be negative'],
  ] as const) {
    assert.throws(() => checkConfig(config as unknown as ContainerConfig), { kind: 'invalid', message });
  }
  checkConfig({ Env: ['A', 'B=', 'C=a=b'], Healthcheck: { Interval: 1_000_000, Timeout: 0 } });
});

test('no text with a NUL byte reaches the kernel, where it would end early', () => {
  for (const config of [
    { Env: ['A=1\0B=2'] },
    { Cmd: ['sh', '-c\0'] },
    { Entrypoint: ['\0'] },
    { WorkingDir: '/a\0' },
    { User: '0\0' },
  ]) {
    assert.throws(() => checkNul(config), { kind: 'invalid', code: 'NUL_BYTE' }, JSON.stringify(config));
  }
  checkNul({ Env: ['A=\n'], Cmd: ['\x01'] });
});

test('extra hosts and name servers have the form that a file of them needs', () => {
  const check = (host: object) => checkIdentity({}, host);
  for (const entry of ['a:1.2.3.4', 'a:::1', 'a.b-c:host-gateway']) check({ ExtraHosts: [entry] });
  for (const entry of ['a', ':1.2.3.4', 'a:', 'a:b', 'a:1.2.3', 'a:host-gateway2'])
    assert.throws(() => check({ ExtraHosts: [entry] }), { code: 'EXTRA_HOST' }, entry);
  check({ Dns: ['1.1.1.1', '::1'] });
  assert.throws(() => check({ Dns: ['dns.example'] }), {
    message: 'bad nameserver address dns.example: ParseAddr("dns.example"): unable to parse IP',
  });
});

test('a privileged container sees the paths that are masked for others, and the host’s cgroups', () => {
  const plain = completeHostConfig({}, FACTS).hostConfig;
  assert.ok((plain.MaskedPaths ?? []).includes('/proc/kcore'));
  assert.ok((plain.ReadonlyPaths ?? []).includes('/proc/sys'));
  assert.equal(plain.CgroupnsMode, 'private');
  const all = completeHostConfig({ Privileged: true }, FACTS).hostConfig;
  assert.deepEqual([all.MaskedPaths, all.ReadonlyPaths, all.CgroupnsMode], [null, null, 'host']);
  const own = completeHostConfig({ MaskedPaths: [] }, FACTS).hostConfig;
  assert.deepEqual(own.MaskedPaths, [], '--security-opt systempaths=unconfined');
  assert.equal(completeHostConfig({}, { ...FACTS, cgroupVersion: 1 }).hostConfig.CgroupnsMode, 'host');
});

test('log options of the request come over the daemon’s, which are for its own driver only', () => {
  const of = (LogConfig: object) => completeHostConfig({ LogConfig }, FACTS).hostConfig.LogConfig;
  assert.deepEqual(of({ Config: { 'max-file': '9' } }), {
    Type: 'json-file',
    Config: { 'max-size': '1m', 'max-file': '9' },
  });
  assert.deepEqual(of({ Type: 'none', Config: {} }), { Type: 'none', Config: {} });
});

test('a cgroup namespace that the kernel does not have is said, not promised', () => {
  const facts = { ...FACTS, support: { ...FACTS.support, cgroupNamespaces: false } };
  assert.deepEqual(completeHostConfig({ CgroupnsMode: 'private' }, facts).warnings, [
    'Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded.',
  ]);
  assert.deepEqual(completeHostConfig({ CgroupnsMode: 'host' }, facts).warnings, []);
});
