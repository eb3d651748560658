// Owns the facts of host and engine that `info` and `version` tell. Changes nothing.

import { readFileSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import { formatNano, nowNano } from '../../lib/clock.ts';
import type { SystemInfo, SystemVersion } from '../../spec/docker/types.gen.ts';
import { hostPlatform } from '../../spec/platform.ts';
import type { System } from './types.ts';

export type { System } from './types.ts';

/** Docker's API version that this engine answers, and the oldest it still does. */
const API_VERSION = '1.51';
const MIN_API_VERSION = '1.24';

/** What a reload may change. */
interface LiveFacts {
  readonly now: {
    readonly debug: boolean;
    readonly labels: readonly string[];
    readonly registryMirrors: readonly string[];
    readonly insecureRegistries: readonly string[];
    readonly liveRestore?: boolean | undefined;
  };
  readonly defaultRuntime: string;
  readonly runtimes: readonly string[];
  readonly drivers: ReadonlyMap<string, { readonly binary: string; readonly version: string }>;
}

/** Counts and settings of the running engine. */
export interface SystemDeps {
  /** Our own version, e.g. `0.1.0`. */
  readonly version: string;
  readonly dataRoot: string;
  /** Stable over restarts. */
  readonly id: string;
  /** As they are now. */
  readonly settings: LiveFacts;
  readonly logDriver: string;
  readonly logDrivers: readonly string[];
  readonly cgroupVersion: 1 | 2;
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly experimental: boolean;
  /** Oldest API version that is answered; default MIN_API_VERSION. */
  readonly minApiVersion?: string | undefined;
  /** `name=seccomp,profile=builtin` and so on. */
  readonly securityOptions: () => readonly string[];
  readonly initBinary: string;
  /** Sentences for the user about this host; the runtime choice and firewall conflicts among them. */
  readonly warnings: () => readonly string[];
  /** Further `name: value` lines, shown below the storage driver. */
  readonly driverStatus: readonly (readonly [string, string])[];
  readonly counts: () => {
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
    readonly images: number;
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', arm: 'armv7l' };

export function createSystem(deps: SystemDeps): System {
  return {
    info: async () => info(deps),
    version: async () => version(deps),
  };
}

function info(deps: SystemDeps): SystemInfo {
  const { running, paused, stopped, images } = deps.counts();
  const { now, runtimes: names, drivers, defaultRuntime } = deps.settings;
  return {
    ID: deps.id,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: images,
    Driver: 'overlay2',
    DriverStatus: deps.driverStatus.map(([name, value]) => [name, value]),
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Log: [...deps.logDrivers] },
    ...limits(deps.cgroupVersion),
    IPv4Forwarding: readText('/proc/sys/net/ipv4/ip_forward').trim() === '1',
    Debug: now.debug,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: formatNano(nowNano()),
    LoggingDriver: deps.logDriver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(deps.cgroupVersion),
    NEventsListener: 0,
    KernelVersion: release(),
    OperatingSystem: osRelease('PRETTY_NAME') || 'Linux',
    OSVersion: osRelease('VERSION_ID'),
    OSType: 'linux',
    Architecture: ARCHITECTURES[process.arch] ?? process.arch,
    NCPU: cpus().length,
    MemTotal: totalmem(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(now),
    GenericResources: null,
    DockerRootDir: deps.dataRoot,
    HttpProxy: maskCredentials(process.env.HTTP_PROXY || process.env.http_proxy),
    HttpsProxy: maskCredentials(process.env.HTTPS_PROXY || process.env.https_proxy),
    NoProxy: process.env.NO_PROXY || process.env.no_proxy || '',
    Name: hostname(),
    Labels: [...now.labels],
    ExperimentalBuild: deps.experimental,
    ServerVersion: deps.version,
    Runtimes: Object.fromEntries(names.map((name) => [name, { path: drivers.get(name)?.binary ?? '' }])),
    DefaultRuntime: defaultRuntime,
    Swarm: NO_SWARM,
    LiveRestoreEnabled: now.liveRestore ?? true,
    Isolation: '',
    InitBinary: deps.initBinary,
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: drivers.get(defaultRuntime)?.version ?? '' },
    InitCommit: { ID: '' },
    SecurityOptions: [...deps.securityOptions()],
    DefaultAddressPools: deps.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [],
    Warnings: [...deps.warnings()],
  };
}

const NO_SWARM: SystemInfo['Swarm'] = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
};

/** Which limits the kernel has. */
function limits(cgroupVersion: 1 | 2): Partial<SystemInfo> {
  const controllers = enabledControllers(cgroupVersion);
  const memory = controllers.has('memory');
  const cpu = controllers.has('cpu');
  return {
    MemoryLimit: memory,
    SwapLimit: memory,
    KernelMemoryTCP: false,
    CpuCfsPeriod: cpu,
    CpuCfsQuota: cpu,
    CPUShares: cpu,
    CPUSet: controllers.has('cpuset'),
    PidsLimit: controllers.has('pids'),
    OomKillDisable: cgroupVersion === 1 && memory,
  };
}

/** @source dockerd 28.5: http://xxxxx:xxxxx@proxy */
function maskCredentials(url = ''): string {
  return url.replace(/^([a-z]+:\/\/)[^@/]*@/i, '$1xxxxx:xxxxx@');
}

function registryConfig({
  insecureRegistries,
  registryMirrors,
}: LiveFacts['now']): NonNullable<SystemInfo['RegistryConfig']> {
  const cidrs = insecureRegistries.filter((entry) => entry.includes('/'));
  const hosts = insecureRegistries.filter((entry) => !entry.includes('/'));
  const index = (name: string, secure: boolean) => ({
    Name: name,
    Mirrors: [...(secure ? registryMirrors : [])],
    Secure: secure,
    Official: secure,
  });
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...cidrs],
    IndexConfigs: {
      'docker.io': index('docker.io', true),
      ...Object.fromEntries(hosts.map((host) => [host, index(host, false)])),
    },
    Mirrors: [...registryMirrors],
  };
}

function version(deps: SystemDeps): SystemVersion {
  const arch = hostPlatform().architecture;
  const details = {
    ApiVersion: API_VERSION,
    Arch: arch,
    Experimental: String(deps.experimental),
    KernelVersion: release(),
    MinAPIVersion: deps.minApiVersion || MIN_API_VERSION,
    Os: 'linux',
  };
  return {
    Platform: { Name: 'Gantry' },
    Components: [
      { Name: 'Engine', Version: deps.version, Details: details },
      ...deps.settings.runtimes.map((name) => {
        const driver = deps.settings.drivers.get(name);
        return { Name: name, Version: driver?.version ?? '', Details: { Path: driver?.binary ?? '' } };
      }),
    ],
    Version: deps.version,
    ApiVersion: API_VERSION,
    MinAPIVersion: deps.minApiVersion || MIN_API_VERSION,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: arch,
    KernelVersion: release(),
    ...(deps.experimental && { Experimental: true }),
    BuildTime: '',
  };
}

/** @source cgroups(7): /proc/cgroups for v1, cgroup.controllers for v2 */
function enabledControllers(cgroupVersion: 1 | 2): ReadonlySet<string> {
  if (cgroupVersion === 2) return new Set(readText('/sys/fs/cgroup/cgroup.controllers').trim().split(' '));
  const rows = readText('/proc/cgroups').split('\n').slice(1);
  return new Set(
    rows
      .map((row) => row.split('\t'))
      .flatMap(([name = '', hierarchy, , enabled]) => (enabled === '1' && hierarchy !== '0' ? [name] : [])),
  );
}

function osRelease(key: string): string {
  const match = new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(readText('/etc/os-release'));
  return match?.[1] ?? '';
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
