import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limit } from '../../../host/cgroup/index.ts';
import { digestOfHex } from '../../../spec/digest.ts';
import type { ContainerCreateRequest, HostConfig } from '../../../spec/docker/types.gen.ts';
import type { ImageRecord } from '../../images/types.ts';
import { commandOf, mergeConfig } from './config.ts';
import { type CreateFacts, checkName, planCreate } from './create.ts';
import { parseBind, planMounts } from './mounts.ts';
import { portRequests } from './ports.ts';

const LIMITS: readonly Limit[] = [
  ...(['memory', 'swap', 'memoryReservation', 'memorySwappiness', 'oomKillDisable', 'pids', 'cpuShares'] as const),
  ...(['cpuQuota', 'cpuRealtime', 'cpuset'] as const),
];

const FACTS: CreateFacts = {
  cpus: 2,
  support: { limits: new Set(LIMITS), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
  cgroupVersion: 1,
  defaultRuntime: 'crun',
  runtimes: ['crun', 'runc'],
  logDriver: 'json-file',
  logOptions: { 'max-size': '1m' },
  id: 'ab'.repeat(32),
  created: '2024-01-01T00:00:00Z',
  hostName: 'host',
  peers: {},
  inherited: [],
  image: {
    id: digestOfHex('00'.repeat(32)),
    repoTags: ['x:latest'],
    repoDigests: [],
    created: '',
    platform: { os: 'linux', architecture: 'amd64' },
    author: '',
    comment: '',
    dockerVersion: '',
    sizeBytes: 0,
    config: {
      Cmd: ['nginx'],
      Env: ['PATH=/bin', 'A=image'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGQUIT',
    },
    diffIds: [],
    history: [],
    lastTagTime: '',
  } satisfies ImageRecord,
};

const plan = (body: ContainerCreateRequest) => planCreate({ Image: 'x', ...body }, FACTS);
const host = (given: HostConfig) => plan({ HostConfig: given }).record.hostConfig;

test('an image gives what the user did not: command, variables, ports, stop signal', () => {
  const { record } = plan({ Env: ['A=user', 'B=1'] });
  assert.deepEqual(record.command, ['nginx']);
  assert.deepEqual(record.config.Env, ['A=user', 'B=1', 'PATH=/bin']);
  assert.deepEqual(record.config.ExposedPorts, { '80/tcp': {} });
  assert.equal(record.config.StopSignal, 'SIGQUIT');
  assert.equal(record.config.Hostname, 'abababababab');
});

test('the image command is used only when neither command nor entrypoint was given; --entrypoint "" clears', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['default'] };
  assert.deepEqual(commandOf(mergeConfig({}, image)), ['/entry', 'default']);
  assert.deepEqual(commandOf(mergeConfig({ Cmd: ['own'] }, image)), ['/entry', 'own']);
  assert.deepEqual(commandOf(mergeConfig({ Entrypoint: ['sh'] }, image)), ['sh']);
  assert.throws(() => commandOf(mergeConfig({ Entrypoint: [''] }, image)), /no command specified/);
  assert.deepEqual(commandOf(mergeConfig({ Entrypoint: [''], Cmd: ['a'] }, image)), ['a']);
});

test('volumes of the image become anonymous volumes unless the user mounts there', () => {
  assert.deepEqual(
    plan({}).mounts.map(({ type, destination, name }) => [type, destination, name]),
    [['volume', '/data', undefined]],
  );
  const { mounts } = plan({ HostConfig: { Binds: ['/srv:/data/:ro'] } });
  assert.deepEqual(
    mounts.map(({ type, source, destination, writable }) => [type, source, destination, writable]),
    [['bind', '/srv', '/data', false]],
  );
});

test('mounts are refused in the words that Docker uses', () => {
  const bad = (bind: string): string => {
    try {
      parseBind(bind);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    bad('/a:b'),
    `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
  );
  assert.equal(
    bad('/:/'),
    `invalid volume specification: '/:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  );
  assert.equal(bad('/a:/b:zz'), 'invalid mode: zz');
  assert.equal(bad('/a:/b:ro,rw'), 'invalid mode: ro,rw');
  assert.equal(bad('/a:/b:/c:ro'), "invalid volume specification: '/a:/b:/c:ro'");
  assert.throws(
    () => planMounts({}, { Binds: ['/a:/b', '/c:/b'] }, []),
    /^Error: Duplicate mount point: \/b|Duplicate mount point: \/b/,
  );
});

test('limits that can never work are refused in the words that Docker uses', () => {
  for (const [given, message] of [
    [{ Memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
    [{ MemorySwap: 1e7 }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ NanoCpus: 9e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [
      { RestartPolicy: { Name: 'foo' } },
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [{ Runtime: 'nope' }, 'unknown or invalid runtime name: nope'],
    [{ NetworkMode: 'container:' }, 'invalid network mode: invalid container format container:<name|id>'],
    [{ IpcMode: 'foo' }, 'invalid IPC mode: foo'],
    [{ OomScoreAdj: 2000 }, 'Invalid value 2000, range for oom score adj is [-1000, 1000]'],
    [
      { AutoRemove: true, RestartPolicy: { Name: 'always' } },
      "can't create 'AutoRemove' container with restart policy",
    ],
  ] as const) {
    assert.throws(() => host(given), { message, kind: 'invalid' }, message);
  }
});

test('inspect shows every default; the daemon options follow its own log driver only', () => {
  const complete = host({ Memory: 64 * 1024 * 1024 });
  assert.equal(complete.MemorySwap, 128 * 1024 * 1024);
  assert.equal(complete.NetworkMode, 'bridge');
  assert.equal(complete.ShmSize, 67_108_864);
  assert.deepEqual(complete.LogConfig, { Type: 'json-file', Config: { 'max-size': '1m' } });
  assert.deepEqual(host({ LogConfig: { Type: 'none' } }).LogConfig, { Type: 'none', Config: {} });
  assert.equal(host({ Privileged: true }).MaskedPaths, null);
  assert.deepEqual(host({ RestartPolicy: { Name: '' } }).RestartPolicy, { Name: 'no', MaximumRetryCount: 0 });
});

test('ports: bindings, ranges, every exposed port with -P, nonsense', () => {
  const config = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  assert.deepEqual(
    portRequests(config, { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000-8010' }] } }),
    [{ containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPorts: { first: 8000, last: 8010 } }],
  );
  assert.deepEqual(
    portRequests(config, { PublishAllPorts: true }).map(
      ({ containerPort, protocol }) => `${containerPort}/${protocol}`,
    ),
    ['53/udp', '80/tcp'],
  );
  for (const port of ['x', '70000', '9-8']) {
    assert.throws(() => portRequests({}, { PortBindings: { '80/tcp': [{ HostPort: port }] } }), {
      code: 'INVALID_PORT',
    });
  }
  assert.throws(() => portRequests({}, { PortBindings: { '80/xyz': [{}] } }), { code: 'INVALID_PORT' });
});

test('names have two characters at least', () => {
  assert.equal(checkName('/web'), 'web');
  for (const name of ['a', '-ab', 'a b', 'ü1'])
    assert.throws(() => checkName(name), { code: 'INVALID_CONTAINER_NAME' });
});

test('a working directory must be absolute; a static address needs a network of its own', () => {
  assert.throws(
    () => plan({ WorkingDir: 'rel' }),
    /the working directory 'rel' is invalid, it needs to be an absolute path/,
  );
  const NetworkingConfig = { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: '172.17.0.9' } } } };
  assert.throws(
    () => plan({ NetworkingConfig }),
    /user specified IP address is supported on user defined networks only/,
  );
});
