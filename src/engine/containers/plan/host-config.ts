// Owns the defaults and the validity of a container's host configuration. Pure: host facts come in as arguments.

import { MASKED_PATHS, READONLY_PATHS } from '../../../runtime/bundle/index.ts';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';

/** What validity depends on, of this host and this daemon. */
export interface HostFacts {
  readonly cpus: number;
  readonly cgroupVersion: 1 | 2;
  readonly defaultRuntime: string;
  readonly runtimes: readonly string[];
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
}

const MEMORY_FLOOR_BYTES = 6 * 1024 * 1024;
const SHM_BYTES = 64 * 1024 * 1024;
const RESTART_POLICIES = ['', 'no', 'always', 'on-failure', 'unless-stopped'];
const MODE_WITH_CONTAINER = /^container:/;

/**
 * The host configuration with every default written out, as `inspect` shows it.
 * @throws GantryError invalid, in Docker's words, for anything that can never work
 */
export function completeHostConfig(given: HostConfig, facts: HostFacts): HostConfig {
  validateMemory(given);
  validateCpu(given, facts);
  validateRestart(given);
  validateNamespaces(given);
  const networkMode = given.NetworkMode;
  const runtime = given.Runtime || facts.defaultRuntime;
  if (!facts.runtimes.includes(runtime))
    throw invalid('UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${runtime}`);
  const privileged = given.Privileged === true;
  return {
    ...DEFAULTS,
    ...withoutNullish(given),
    NetworkMode: !networkMode || networkMode === 'default' ? 'bridge' : networkMode,
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    LogConfig: logConfig(given, facts),
    CgroupnsMode: given.CgroupnsMode || (facts.cgroupVersion === 2 && !privileged ? 'private' : 'host'),
    IpcMode: given.IpcMode || 'private',
    ShmSize: given.ShmSize || SHM_BYTES,
    Runtime: runtime,
    // The command line says -1 for unset. @source dockerd 28.5 inspect
    MemorySwappiness: given.MemorySwappiness === -1 ? null : (given.MemorySwappiness ?? null),
    MemorySwap: given.Memory && !given.MemorySwap ? given.Memory * 2 : (given.MemorySwap ?? 0),
    MaskedPaths: given.MaskedPaths ?? (privileged ? null : [...MASKED_PATHS]),
    ReadonlyPaths: given.ReadonlyPaths ?? (privileged ? null : [...READONLY_PATHS]),
  } as HostConfig;
}

/** Fields that inspect always shows, in its order. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: {},
  NetworkMode: 'bridge',
  PortBindings: null,
  RestartPolicy: {},
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: '',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: SHM_BYTES,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
};

function withoutNullish(given: HostConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
}

function logConfig(given: HostConfig, facts: HostFacts): NonNullable<HostConfig['LogConfig']> {
  const type = given.LogConfig?.Type || facts.logDriver;
  // The daemon's options belong to the daemon's driver only. @source dockerd 28.5: --log-driver with --log-opt
  const inherited = type === facts.logDriver ? facts.logOptions : {};
  return { Type: type, Config: { ...inherited, ...given.LogConfig?.Config } };
}

function validateMemory({
  Memory = 0,
  MemorySwap = 0,
  MemoryReservation = 0,
  MemorySwappiness,
  ShmSize = 0,
}: HostConfig): void {
  if (Memory > 0 && Memory < MEMORY_FLOOR_BYTES)
    throw invalid('MEMORY_TOO_SMALL', 'Minimum memory limit allowed is 6MB');
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('SWAP_BELOW_MEMORY', 'Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (Memory === 0 && MemorySwap > 0) {
    throw invalid(
      'SWAP_WITHOUT_MEMORY',
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    );
  }
  if (MemoryReservation > 0 && MemoryReservation < MEMORY_FLOOR_BYTES) {
    throw invalid('RESERVATION_TOO_SMALL', 'Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
    throw invalid(
      'MEMORY_BELOW_RESERVATION',
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    );
  }
  if (MemorySwappiness != null && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
    throw invalid('SWAPPINESS_RANGE', `Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (ShmSize < 0) throw invalid('SHM_SIZE_NEGATIVE', 'SHM size can not be less than 0');
}

function validateCpu(given: HostConfig, { cpus }: HostFacts): void {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, OomScoreAdj = 0, CpusetCpus = '' } = given;
  const wanted = cpusetOf(CpusetCpus);
  if (wanted.some((cpu) => cpu >= cpus)) {
    const available = cpus === 1 ? '0' : `0-${cpus - 1}`;
    throw invalid(
      'CPUSET_RANGE',
      `Requested CPUs are not available - requested ${CpusetCpus}, available: ${available}`,
    );
  }
  if (NanoCpus < 0 || NanoCpus > cpus * 1e9) {
    throw invalid('CPUS_RANGE', `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if (NanoCpus > 0 && CpuPeriod > 0) {
    throw invalid('CPUS_CONFLICT', 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (NanoCpus > 0 && CpuQuota > 0) {
    throw invalid('CPUS_CONFLICT', 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    throw invalid(
      'CPU_PERIOD_RANGE',
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  }
  if (CpuQuota > 0 && CpuQuota < 1000)
    throw invalid('CPU_QUOTA_RANGE', 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000) {
    throw invalid('OOM_SCORE_RANGE', `Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
}

/** First and last of each range in `0-2,7`. @throws CPUSET_INVALID */
function cpusetOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(',').flatMap((range) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (!match) throw invalid('CPUSET_INVALID', `Invalid value ${text} for cpuset cpus: invalid format: ${range}`);
    return [Number(match[1]), Number(match[2] ?? match[1])];
  });
}

function validateRestart({ RestartPolicy, AutoRemove }: HostConfig): void {
  const name = RestartPolicy?.Name ?? '';
  const retries = RestartPolicy?.MaximumRetryCount ?? 0;
  if (!RESTART_POLICIES.includes(name)) {
    throw invalid(
      'RESTART_POLICY',
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (retries !== 0 && name !== 'on-failure') {
    throw invalid('RESTART_COUNT', "invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (retries < 0) {
    throw invalid('RESTART_COUNT', 'invalid restart policy: maximum retry count cannot be negative');
  }
  if (AutoRemove && name !== '' && name !== 'no') {
    throw invalid('AUTO_REMOVE_RESTART', "can't create 'AutoRemove' container with restart policy");
  }
}

function validateNamespaces({ NetworkMode = '', Links, PortBindings, IpcMode = '' }: HostConfig): void {
  if (MODE_WITH_CONTAINER.test(NetworkMode)) {
    if (NetworkMode === 'container:') {
      throw invalid('NETWORK_MODE', 'invalid network mode: invalid container format container:<name|id>');
    }
    if (PortBindings && Object.keys(PortBindings).length > 0) {
      throw invalid(
        'PORTS_WITH_CONTAINER_NETWORK',
        'conflicting options: port publishing and the container type network mode',
      );
    }
  }
  if (Links && Links.length > 0) {
    throw invalid(
      'LINKS',
      'links (--link) are not supported by this engine: put both containers on one network instead',
    );
  }
  if (!/^(|none|host|private|shareable|container:.+)$/.test(IpcMode))
    throw invalid('IPC_MODE', `invalid IPC mode: ${IpcMode}`);
}
