// Owns the defaults of a container's host configuration. Pure: host facts come in as arguments.

import { MASKED_PATHS, READONLY_PATHS } from '../../../runtime/bundle/index.ts';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';
import { type ResourceFacts, settleResources } from './resources.ts';

/** What defaults and validity depend on, of this host and this daemon. */
export interface HostFacts extends ResourceFacts {
  readonly cgroupVersion: 1 | 2;
  readonly defaultRuntime: string;
  readonly runtimes: readonly string[];
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
}

const SHM_BYTES = 64 * 1024 * 1024;

/** A complete host configuration, and what of it was left out with a warning. */
export interface CompleteHostConfig {
  readonly hostConfig: HostConfig;
  readonly warnings: readonly string[];
}

/**
 * The host configuration with every default written out, as `inspect` shows it.
 * @throws GantryError invalid, in Docker's words, for limits and runtimes that can never work
 */
export function completeHostConfig(asked: HostConfig, facts: HostFacts): CompleteHostConfig {
  const { hostConfig: given, warnings } = settleResources(asked, facts);
  const cgroupns =
    given.CgroupnsMode === 'private' && !facts.support.cgroupNamespaces
      ? ['Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded.']
      : [];
  return { hostConfig: withDefaults(given, facts), warnings: [...warnings, ...cgroupns] };
}

function withDefaults(given: HostConfig, facts: HostFacts): HostConfig {
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
