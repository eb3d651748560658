import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../spec/docker/types.gen.ts';
import { resolveUser } from '../user.ts';
import { buildSpec } from './build.ts';
import type { BundleInput, BundleMount, DeviceFact, NetworkPlace } from './input.ts';
import { tmpfsOptions } from './mounts.ts';
import { networkSysctlSteps } from './namespaces.ts';
import type { OciDeviceRule, OciMount, OciNamespace, OciSpec } from './oci.ts';
import { defaultSeccomp } from './seccomp/index.ts';

// golden/cases.json: what dockerd 28.5.2 (runc, cgroup v1, Linux 6.18) handed to its runtime for `docker run FLAGS busybox …`:
// the stored create body and the sections of config.json; cases after the first hold what differs from it (null = absent).

type Sections = Readonly<Record<string, unknown>>;
interface GoldenMount {
  readonly Type: BundleMount['type'];
  readonly Source: string;
  readonly Destination: string;
  readonly RW: boolean;
  readonly Propagation: string;
}
interface Golden {
  readonly flags: string;
  readonly command: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly mounts: readonly GoldenMount[];
  readonly spec: Sections;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8'));
const CASES = read('cases.json') as Readonly<Record<string, Golden>>;
const PLAIN = CASES.plain?.spec ?? {};

const INIT_BINARY = '/usr/bin/docker-init';
const JOINED_PID = 24218;
function boundingOf(golden: Golden | undefined): readonly string[] {
  return (golden?.spec['process.capabilities'] as { bounding: string[] } | undefined)?.bounding ?? [];
}

const HOST = {
  architecture: 'amd64',
  kernel: [6, 18],
  hostname: 'vm',
  capabilities: boundingOf(CASES.privileged),
  cgroupVersion: 1,
  cgroupParent: '/docker',
  apparmor: true,
  cgroupMounts: [],
  initBinary: INIT_BINARY,
  initByDefault: false,
} as const;

function networkOf(mode: string | undefined): NetworkPlace {
  if (mode === 'host') return { kind: 'host' };
  return mode?.startsWith('container:') ? { kind: 'join', pid: JOINED_PID } : { kind: 'own' };
}

function mountOf(mount: GoldenMount, hostConfig: HostConfig): BundleMount {
  const request = hostConfig.Mounts?.find(({ Target }) => Target === mount.Destination);
  const options = [
    ...(request?.BindOptions?.NonRecursive ? ['bind-nonrecursive'] : []),
    ...(request?.BindOptions?.ReadOnlyNonRecursive ? ['readonly-nonrecursive'] : []),
    ...tmpfsOptions({ sizeBytes: request?.TmpfsOptions?.SizeBytes, mode: request?.TmpfsOptions?.Mode }),
  ];
  return {
    type: mount.Type,
    source: mount.Source,
    sourceIsDirectory: !mount.Source.endsWith('/f'),
    destination: mount.Destination,
    writable: mount.RW,
    propagation: mount.Propagation,
    options,
  };
}

/** The facts that dockerd had from stat, read back out of its answer. */
function devicesOf(golden: Golden): DeviceFact[] {
  const listed = (golden.spec['linux.devices'] ?? []) as (DeviceFact & { readonly fileMode: number })[];
  return listed.map(({ path, type, major, minor, fileMode, uid, gid }) => {
    const request = golden.hostConfig.Devices?.find(({ PathInContainer }) => PathInContainer === path);
    return { path, type, major, minor, mode: fileMode, uid, gid, access: request?.CgroupPermissions ?? 'rwm' };
  });
}

function inputOf(golden: Golden): BundleInput {
  const { hostConfig, config } = golden;
  const joins = (mode: string | undefined): number | undefined =>
    mode?.startsWith('container:') ? JOINED_PID : undefined;
  const shared = hostConfig.IpcMode === 'shareable' || hostConfig.IpcMode?.startsWith('container:');
  return {
    id: '0'.repeat(64),
    config,
    hostConfig,
    command: golden.command,
    user: resolveUser(config.User ?? '', hostConfig.GroupAdd ?? [], { passwd: 'root:x:0:0:root:/root:', group: '' }),
    rootfsPath: '/rootfs',
    mounts: golden.mounts.map((mount) => mountOf(mount, hostConfig)),
    files: { resolvConf: '/state/resolv.conf', hostname: '/state/hostname', hosts: '/state/hosts' },
    network: networkOf(hostConfig.NetworkMode),
    joinPid: joins(hostConfig.PidMode),
    joinIpc: joins(hostConfig.IpcMode),
    shmPath: shared ? '/state/mounts/shm' : undefined,
    devices: devicesOf(golden),
    blockDevices: [{ path: '/dev/vda', major: 254, minor: 0 }],
    runtime: { name: 'runc', recursiveReadOnly: true, isCrun: false },
    host: HOST,
  };
}

/** `process.user`, `linux.seccomp`, … of a whole configuration. */
function sectionsOf(spec: OciSpec): Sections {
  const { process, linux, ...rest } = JSON.parse(
    JSON.stringify(spec, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  ) as OciSpec;
  const prefixed = (prefix: string, object: object): [string, unknown][] =>
    Object.entries(object).map(([key, value]) => [`${prefix}.${key}`, value]);
  return { ...rest, ...Object.fromEntries([...prefixed('process', process), ...prefixed('linux', linux)]) };
}

type Change = (value: unknown, golden: Golden) => unknown;

/** Every way in which Gantry means to differ from dockerd. The key is the section, the text the reason. */
const INTENDED: Readonly<Record<string, readonly (readonly [reason: string, change: Change])[]>> = {
  ociVersion: [['crun 1.8 refuses newer versions; nothing of them is used', () => '1.0.2']],
  'process.args': [
    [
      'the init program is a face of the shim, named by its first argument',
      (value) => {
        const [program = '', ...rest] = value as string[];
        return program === '/sbin/docker-init' ? [program, 'init', ...rest] : value;
      },
    ],
  ],
  'process.env': [
    [
      'HOME is written here, not left to the runtime',
      (value, { config }) => {
        const env = value as string[];
        const home = config.User ? '/' : '/root';
        return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`];
      },
    ],
  ],
  mounts: [
    [
      'mounts of one depth keep the order in which they were asked for; dockerd shuffles them',
      (value) => (value as OciMount[]).toSorted(byDepthAndName),
    ],
    [
      'a file is mounted ro, not rro: nothing lies below it, and crun 1.8.1 cannot',
      (value) =>
        (value as OciMount[]).map((mount) =>
          mount.source.startsWith('/state/')
            ? { ...mount, options: mount.options.map((option) => (option === 'rro' ? 'ro' : option)) }
            : mount,
        ),
    ],
  ],
  'linux.sysctl': [
    [
      'net.* is set by the shim, whose network namespace the runtime inherits',
      (value) => {
        const rest = Object.entries(value as Record<string, string>).filter(([name]) => !name.startsWith('net.'));
        return rest.length === 0 ? undefined : Object.fromEntries(rest);
      },
    ],
  ],
  'linux.namespaces': [
    [
      'the network namespace is the shim’s; only a joined one is named',
      (value) => (value as OciNamespace[]).filter(({ type, path }) => type !== 'network' || path !== undefined),
    ],
  ],
  'linux.resources': [
    ['what was not asked for is left out', (value) => withoutDefaults(value as Record<string, unknown>)],
  ],
};

function byDepthAndName(one: OciMount, other: OciMount): number {
  const depth = ({ destination }: OciMount): number => destination.split('/').length;
  return depth(one) - depth(other) || (one.destination < other.destination ? -1 : 1);
}

/** dockerd writes containerd's device rules, then its own, which start with the same eight; wildcards are -1. */
function withoutDefaults(resources: Record<string, unknown>): unknown {
  const { memory, blockIO, ...rest } = resources;
  const rules = resources.devices as OciDeviceRule[];
  const common = rules.slice(0, 8);
  const own = rules.slice(8);
  assert.ok(own[0]?.access === 'rwm');
  const privileged = own[0]?.allow === true;
  if (!privileged) assert.deepEqual(own.slice(0, 8), common, 'dockerd repeats the list');
  const devices = (privileged ? own : [...common, ...own.slice(8)]).map(({ minor, ...rule }) =>
    minor === undefined || minor === -1 ? rule : { ...rule, minor },
  );
  const { disableOOMKiller, ...limits } = (memory ?? {}) as Record<string, unknown>;
  const memoryLeft = disableOOMKiller === true ? { ...limits, disableOOMKiller } : limits;
  const keep = (key: string, value: object): object => (Object.keys(value).length === 0 ? {} : { [key]: value });
  return { ...rest, devices, ...keep('memory', memoryLeft), ...keep('blockIO', (blockIO ?? {}) as object) };
}

function expectedOf(golden: Golden, actual: Sections): Sections {
  const all: Record<string, unknown> = { ...PLAIN, ...golden.spec };
  if (all['linux.seccomp'] === 'default') all['linux.seccomp'] = actual['linux.seccomp'];
  for (const [section, changes] of Object.entries(INTENDED)) {
    for (const [, change] of changes) {
      if (all[section] !== null && all[section] !== undefined) all[section] = change(all[section], golden);
    }
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

for (const [name, golden] of Object.entries(CASES)) {
  test(`a container gets what dockerd gives it: ${golden.flags === '' ? 'no flags' : golden.flags} (${name})`, () => {
    const sections = sectionsOf(buildSpec(inputOf(golden)));
    const actual: Sections = { ...sections, mounts: (sections.mounts as OciMount[]).toSorted(byDepthAndName) };
    const expected = expectedOf(golden, actual);
    for (const section of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      assert.deepEqual(actual[section], expected[section], section);
    }
  });
}

test('the net.* sysctls that dockerd leaves to the runtime become steps of the shim', () => {
  const steps = networkSysctlSteps(inputOf(CASES.sysctl as Golden));
  assert.deepEqual(steps, [
    { verb: 'write', path: '/proc/sys/net/ipv4/ip_unprivileged_port_start', text: '0' },
    { verb: 'write', path: '/proc/sys/net/ipv4/ping_group_range', text: '0 2147483647' },
    { verb: 'write', path: '/proc/sys/net/ipv4/ip_forward', text: '1' },
  ]);
  assert.deepEqual(networkSysctlSteps(inputOf(CASES.hostnet as Golden)), []);
  assert.deepEqual(networkSysctlSteps(inputOf(CASES.cont as Golden)), []);
});

interface GoldenSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly always: readonly string[];
  readonly others: Readonly<Record<string, readonly unknown[]>>;
}
const SECCOMP = read('seccomp.json') as GoldenSeccomp;

for (const [change, rules] of Object.entries(SECCOMP.others)) {
  test(`the seccomp filter is dockerd’s, rule by rule: ${change === '' ? 'default capabilities' : change}`, () => {
    const name = change.slice(1);
    const hostConfig = change.startsWith('+') ? { CapAdd: [name] } : change === '' ? {} : { CapDrop: [name] };
    const spec = buildSpec(inputOf({ ...(CASES.plain as Golden), hostConfig }));
    const [always, ...others] = spec.linux.seccomp?.syscalls ?? [];
    assert.deepEqual([always?.action, always?.args], ['SCMP_ACT_ALLOW', undefined]);
    assert.deepEqual(always?.names.toSorted(), SECCOMP.always.toSorted());
    assert.deepEqual(others, rules);
    assert.equal(spec.linux.seccomp?.defaultAction, SECCOMP.defaultAction);
    assert.equal(spec.linux.seccomp?.defaultErrnoRet, SECCOMP.defaultErrnoRet);
    assert.deepEqual(spec.linux.seccomp?.architectures, SECCOMP.architectures);
  });
}

test('on arm64 the calls of that processor are allowed and 32-bit programs run', () => {
  const seccomp = defaultSeccomp({ architecture: 'arm64', kernel: [6, 1], capabilities: new Set() });
  assert.deepEqual(seccomp.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  const names = seccomp.syscalls?.flatMap((rule) => rule.names) ?? [];
  assert.ok(names.includes('cacheflush') && !names.includes('arch_prctl'));
});

test('before Linux 4.8 ptrace could step out of the filter, so it stays closed there', () => {
  const names = (kernel: readonly [number, number]): readonly string[] =>
    defaultSeccomp({ architecture: 'amd64', kernel, capabilities: new Set() }).syscalls?.flatMap(
      (rule) => rule.names,
    ) ?? [];
  assert.ok(!names([4, 7]).includes('ptrace') && names([4, 8]).includes('ptrace'));
});

test('nothing lies over /proc but files that only report, whatever the image calls a volume', () => {
  const plain = CASES.plain;
  assert.ok(plain);
  const over = (destination: string, source = '/var/lib/x'): OciSpec => {
    const mount = {
      type: 'bind',
      source,
      sourceIsDirectory: true,
      destination,
      writable: true,
      propagation: '',
    } as const;
    return buildSpec({ ...inputOf(plain), mounts: [mount] });
  };
  for (const destination of ['/proc', '/proc/1', '/proc/self/attr', '/proc/sys'])
    assert.throws(() => over(destination), /cannot be mounted because it is inside \/proc/, destination);
  const tmpfs = { ...plain, hostConfig: { ...plain.hostConfig, Tmpfs: { '/proc/1': '' } } };
  assert.throws(() => buildSpec(inputOf(tmpfs)), /inside \/proc/);
  for (const destination of ['/proc/cpuinfo', '/procs', '/x/proc']) over(destination);
  over('/proc', '/proc');
});
