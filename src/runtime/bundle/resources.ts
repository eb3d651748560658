// Owns limits: from HostConfig to the OCI configuration's resources and rlimits. Pure; knows no cgroup files.

import { GantryError } from '../../lib/errors.ts';
import type { HostConfig, ThrottleDevice } from '../../spec/docker/types.gen.ts';
import type { BlockDeviceFact, BundleInput, DeviceFact } from './input.ts';
import type { OciBlockIo, OciCpu, OciDeviceRule, OciMemory, OciResources, OciRlimit, OciThrottle } from './oci.ts';

const DEFAULT_PERIOD_US = 100_000;
const NANO = 1_000_000_000;
const NO_LIMIT = 18446744073709551615n;

/** zero, full, urandom, random, tty, console: major, minor. The runtimes add null, pts and ptmx by themselves. */
const OPEN_DEVICES: readonly (readonly [number, number])[] = [
  [1, 5],
  [1, 3],
  [1, 9],
  [1, 8],
  [5, 0],
  [5, 1],
];

/** Everything but the absent: a limit that was not asked for is not written. */
export function buildResources(input: BundleInput): OciResources {
  const memory = buildMemory(input.hostConfig, input.host.cgroupVersion);
  const cpu = buildCpu(input.hostConfig);
  const blockIO = buildBlockIo(input.hostConfig, input.blockDevices ?? []);
  const pids = input.hostConfig.PidsLimit ?? 0;
  return {
    devices: deviceRules(input.hostConfig, input.devices),
    ...(isEmpty(memory) ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
    ...(isEmpty(blockIO) ? {} : { blockIO }),
  };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

/** Docker gives twice the memory as memory with swap, unless the request names another; -1 is no limit. */
function buildMemory(config: HostConfig, cgroupVersion: 1 | 2): OciMemory {
  const limit = config.Memory ?? 0;
  const asked = config.MemorySwap ?? 0;
  const swap = asked === 0 && limit > 0 ? limit * 2 : asked;
  const swappiness = config.MemorySwappiness ?? -1;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...((config.MemoryReservation ?? 0) > 0 ? { reservation: config.MemoryReservation as number } : {}),
    ...(swap > 0 ? { swap } : {}),
    ...(cgroupVersion === 1 && (config.KernelMemoryTCP ?? 0) > 0
      ? { kernelTCP: config.KernelMemoryTCP as number }
      : {}),
    ...(cgroupVersion === 1 && swappiness >= 0 ? { swappiness } : {}),
    ...(cgroupVersion === 1 && config.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function buildCpu(config: HostConfig): OciCpu {
  const nano = config.NanoCpus ?? 0;
  const quota = nano > 0 ? Math.trunc((nano * DEFAULT_PERIOD_US) / NANO) : (config.CpuQuota ?? 0);
  const period = nano > 0 ? DEFAULT_PERIOD_US : (config.CpuPeriod ?? 0);
  return {
    ...((config.CpuShares ?? 0) > 0 ? { shares: config.CpuShares as number } : {}),
    // Below nothing is no limit, which a new container has anyway.
    ...(quota > 0 ? { quota } : {}),
    ...(period > 0 ? { period } : {}),
    ...((config.CpuRealtimeRuntime ?? 0) !== 0 ? { realtimeRuntime: config.CpuRealtimeRuntime as number } : {}),
    ...((config.CpuRealtimePeriod ?? 0) !== 0 ? { realtimePeriod: config.CpuRealtimePeriod as number } : {}),
    ...(config.CpusetCpus ? { cpus: config.CpusetCpus } : {}),
    ...(config.CpusetMems ? { mems: config.CpusetMems } : {}),
  };
}

function buildBlockIo(config: HostConfig, devices: readonly BlockDeviceFact[]): OciBlockIo {
  const find = (path: string | undefined): BlockDeviceFact => {
    const fact = devices.find((device) => device.path === path);
    if (fact !== undefined) return fact;
    throw new GantryError('invalid', 'BLOCK_DEVICE_UNKNOWN', `no such block device: ${path}`, { params: { path } });
  };
  const throttles = (list: readonly ThrottleDevice[] | undefined): OciThrottle[] =>
    (list ?? []).map(({ Path, Rate }) => {
      const { major, minor } = find(Path);
      return { major, minor, rate: Rate ?? 0 };
    });
  const weights = (config.BlkioWeightDevice ?? []).map(({ Path, Weight }) => {
    const { major, minor } = find(Path);
    return { major, minor, weight: Weight ?? 0 };
  });
  const lists: readonly (readonly [string, readonly unknown[]])[] = [
    ['weightDevice', weights],
    ['throttleReadBpsDevice', throttles(config.BlkioDeviceReadBps)],
    ['throttleWriteBpsDevice', throttles(config.BlkioDeviceWriteBps)],
    ['throttleReadIOPSDevice', throttles(config.BlkioDeviceReadIOps)],
    ['throttleWriteIOPSDevice', throttles(config.BlkioDeviceWriteIOps)],
  ];
  return {
    ...((config.BlkioWeight ?? 0) > 0 ? { weight: config.BlkioWeight as number } : {}),
    ...Object.fromEntries(lists.filter(([, list]) => list.length > 0)),
  };
}

/** Deny all, then what every container may use, then the container's own devices and rules. */
export function deviceRules(config: HostConfig, devices: readonly DeviceFact[]): OciDeviceRule[] {
  if (config.Privileged === true) return [{ allow: true, access: 'rwm' }];
  return [
    { allow: false, access: 'rwm' },
    ...OPEN_DEVICES.map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
    // The runtimes of old opened fuse to everybody.
    { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
    ...devices.map(({ type, major, minor, access }) => ({ allow: true, type, major, minor, access })),
    ...(config.DeviceCgroupRules ?? []).map(parseDeviceRule),
  ];
}

/** `c 42:* rwm`. @throws DEVICE_RULE_INVALID with Docker's wording */
function parseDeviceRule(rule: string): OciDeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(rule);
  if (match === null) {
    throw new GantryError('invalid', 'DEVICE_RULE_INVALID', `invalid device cgroup rule format: '${rule}'`, {
      params: { rule },
    });
  }
  const [, type = '', major = '', minor = '', access = ''] = match;
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

/** @source getrlimit(2) */
const RLIMITS: ReadonlySet<string> = new Set(
  'AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK'.split(' '),
);

/** -1 means no limit. @throws RLIMIT_INVALID in the words of Docker's runtime */
export function buildRlimits(config: HostConfig): OciRlimit[] {
  return (config.Ulimits ?? []).map(({ Name, Soft, Hard }) => {
    const name = (Name ?? '').toUpperCase();
    if (!RLIMITS.has(name)) throw new GantryError('invalid', 'RLIMIT_INVALID', `wrong rlimit value: RLIMIT_${name}`);
    return { type: `RLIMIT_${name}`, hard: rlimit(Hard ?? 0), soft: rlimit(Soft ?? 0) };
  });
}

function rlimit(value: number): number | bigint {
  return value < 0 ? NO_LIMIT : value;
}
