// Owns turning the flags of run and create into the body of POST /containers/create. Sends nothing.

import { parseUlimit } from '../../spec/docker/decode-ulimit.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type {
  ContainerConfig,
  ContainerCreateRequest,
  HealthConfig,
  HostConfig,
  RestartPolicy,
} from '../../spec/docker/types.gen.ts';
import type { ConfigFile } from '../config/file.ts';
import type { Environment } from '../config/host.ts';
import { HintedError } from '../failure.ts';
import type { Flags } from '../grammar/flags.ts';
import { RESTART_FORM } from '../hints.table.ts';
import { readExtraHost } from './checks.ts';
import { deviceRequests, isCdiDevice, keyValues, parseDevice, parseThrottle, parseWeightDevice } from './devices.ts';
import { envList, labelMap, withProxies } from './environment.ts';
import { parseMount, tmpfsField, volumeFields } from './mounts.ts';
import { checkMacAddress, networkFields } from './networks.ts';
import { portFields } from './ports.ts';
import { capabilityFields, securityFields } from './security.ts';

/** What a body is made of, besides the flags. */
export interface BodyFacts {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly config: ConfigFile;
  readonly host: string;
}

/**
 * The create body, every field where Docker's client puts it.
 * @throws Error in Docker's words
 * @source docker 28.2.2, compared field by field in test/cli
 */
export function createBody(flags: Flags, facts: BodyFacts): ContainerCreateRequest {
  if (flags.text('mac-address') !== '') checkMacAddress(flags.text('mac-address'));
  if (flags.bool('use-api-socket')) throw new Error('--use-api-socket is not supported yet');
  checkSwappiness(flags.number('memory-swappiness'));
  const volumes = volumeFields(flags.list('volume'), facts.cwd);
  const ports = portFields(flags.list('publish'), flags.list('expose'));
  const hostConfig = hostConfigOf(flags, facts, volumes.binds, ports.PortBindings);
  const config = configOf(flags, facts, volumes.volumes, ports.ExposedPorts);
  const restarts = (hostConfig.RestartPolicy?.Name ?? 'no') !== 'no' && hostConfig.RestartPolicy?.Name !== '';
  if (flags.bool('rm') && restarts) throw new Error('conflicting options: cannot specify both --restart and --rm');
  const networks = networkFields(flags);
  return {
    ...config,
    HostConfig: { ...hostConfig, NetworkMode: networks.mode },
    NetworkingConfig: { EndpointsConfig: networks.endpoints },
  };
}

function checkSwappiness(value: number): void {
  if (value !== -1 && (value < 0 || value > 100)) {
    throw new Error(`invalid value: ${value}. Valid memory swappiness range is 0-100`);
  }
}

function configOf(
  flags: Flags,
  facts: BodyFacts,
  volumes: NonNullable<ContainerConfig['Volumes']>,
  exposed: Record<string, Record<string, never>>,
): ContainerConfig {
  const attach = flags.list('attach').map((stream) => stream.toLowerCase());
  const stdin = flags.bool('interactive');
  const attachStdin = stdin || attach.includes('stdin');
  const environment = envList(
    flags.list('env-file'),
    withProxies(flags.list('env'), facts.config, facts.host),
    facts.env,
  );
  const health = healthcheck(flags);
  return {
    Hostname: flags.text('hostname'),
    Domainname: flags.text('domainname'),
    User: flags.text('user'),
    AttachStdin: attachStdin,
    AttachStdout: attach.length === 0 || attach.includes('stdout'),
    AttachStderr: attach.length === 0 || attach.includes('stderr'),
    ...(Object.keys(exposed).length === 0 ? {} : { ExposedPorts: exposed }),
    Tty: flags.bool('tty'),
    OpenStdin: stdin,
    StdinOnce: stdin && attachStdin,
    Env: orNothing(environment),
    Cmd: orNothing(facts.args),
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: facts.image,
    Volumes: volumes,
    WorkingDir: flags.text('workdir'),
    Entrypoint: flags.changed('entrypoint') ? [flags.text('entrypoint')] : undefined,
    Labels: labelMap(flags.list('label-file'), flags.list('label')),
    ...(flags.changed('stop-signal') ? { StopSignal: flags.text('stop-signal') } : {}),
    ...(flags.changed('stop-timeout') ? { StopTimeout: flags.number('stop-timeout') } : {}),
  };
}

/** A list that was not given is left out; Docker's client sends null, which means the same. */
function orNothing(list: readonly string[]): string[] | undefined {
  return list.length === 0 ? undefined : [...list];
}

function healthcheck(flags: Flags): HealthConfig | undefined {
  const names = ['health-interval', 'health-timeout', 'health-start-period', 'health-start-interval', 'health-retries'];
  const given = flags.text('health-cmd') !== '' || names.some((name) => flags.number(name) !== 0);
  if (flags.bool('no-healthcheck')) {
    if (given) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!given) return undefined;
  for (const name of names) if (flags.number(name) < 0) throw new Error(`--${name} cannot be negative`);
  const field = (key: string, name: string): Record<string, number> =>
    flags.number(name) === 0 ? {} : { [key]: flags.number(name) };
  return {
    ...(flags.text('health-cmd') === '' ? {} : { Test: ['CMD-SHELL', flags.text('health-cmd')] }),
    ...field('Interval', 'health-interval'),
    ...field('Timeout', 'health-timeout'),
    ...field('StartPeriod', 'health-start-period'),
    ...field('StartInterval', 'health-start-interval'),
    ...field('Retries', 'health-retries'),
  };
}

function hostConfigOf(
  flags: Flags,
  facts: BodyFacts,
  binds: readonly string[],
  portBindings: NonNullable<HostConfig['PortBindings']>,
): HostConfig {
  const security = securityFields(flags.list('security-opt'));
  const unconfined = security.unconfinedPaths ? [] : undefined;
  return {
    Binds: orNothing(binds),
    ContainerIDFile: flags.text('cidfile'),
    LogConfig: { Type: flags.text('log-driver'), Config: logOptions(flags) },
    PortBindings: portBindings,
    RestartPolicy: parseRestartPolicy(flags.text('restart')),
    AutoRemove: flags.bool('rm'),
    VolumeDriver: flags.text('volume-driver'),
    VolumesFrom: orNothing(flags.list('volumes-from')),
    ConsoleSize: [0, 0],
    ...mapOrNothing('Annotations', keyValues(flags.list('annotation'))),
    ...capabilityFields(flags.list('cap-add'), flags.list('cap-drop')),
    CgroupnsMode: oneOf(flags.text('cgroupns'), ['', 'host', 'private'], '--cgroupns: invalid CGROUP mode'),
    Dns: flags.list('dns').map((text) => text.trim()),
    DnsOptions: [...flags.list('dns-opt'), ...flags.list('dns-option')],
    DnsSearch: flags.list('dns-search').map((text) => text.trim()),
    ExtraHosts: orNothing(flags.list('add-host').map(readExtraHost)),
    GroupAdd: orNothing(flags.list('group-add')),
    IpcMode: flags.text('ipc'),
    Cgroup: '',
    Links: orNothing(flags.list('link')),
    OomScoreAdj: flags.number('oom-score-adj'),
    PidMode: namespaceMode(flags.text('pid'), '--pid: invalid PID mode'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: flags.list('security-opt').length === 0 ? undefined : security.options,
    ...mapOrNothing('StorageOpt', storageOptions(flags.list('storage-opt'))),
    ...mapOrNothing('Tmpfs', tmpfsField(flags.list('tmpfs'))),
    UTSMode: oneOf(flags.text('uts'), ['', 'host'], '--uts: invalid UTS mode'),
    UsernsMode: oneOf(flags.text('userns'), ['', 'host'], '--userns: invalid USER mode'),
    ShmSize: flags.number('shm-size'),
    ...mapOrNothing('Sysctls', keyValues(flags.list('sysctl'))),
    ...(flags.text('runtime') === '' ? {} : { Runtime: flags.text('runtime') }),
    Isolation: flags.text('isolation'),
    ...resourcesOf(flags),
    ...(flags.list('mount').length === 0
      ? {}
      : { Mounts: flags.list('mount').map((text) => parseMount(text, facts.cwd)) }),
    MaskedPaths: unconfined,
    ReadonlyPaths: unconfined,
    ...(flags.changed('init') ? { Init: flags.bool('init') } : {}),
  };
}

function mapOrNothing<K extends string>(key: K, map: Record<string, string>): { [P in K]?: Record<string, string> } {
  return Object.keys(map).length === 0 ? {} : ({ [key]: map } as { [P in K]: Record<string, string> });
}

function resourcesOf(flags: Flags): HostConfig {
  return {
    CpuShares: flags.number('cpu-shares'),
    Memory: flags.number('memory'),
    NanoCpus: flags.number('cpus'),
    CgroupParent: flags.text('cgroup-parent'),
    BlkioWeight: flags.number('blkio-weight'),
    BlkioWeightDevice: flags.list('blkio-weight-device').map(parseWeightDevice),
    BlkioDeviceReadBps: flags.list('device-read-bps').map((text) => parseThrottle(text, 'bytes')),
    BlkioDeviceWriteBps: flags.list('device-write-bps').map((text) => parseThrottle(text, 'bytes')),
    BlkioDeviceReadIOps: flags.list('device-read-iops').map((text) => parseThrottle(text, 'operations')),
    BlkioDeviceWriteIOps: flags.list('device-write-iops').map((text) => parseThrottle(text, 'operations')),
    CpuPeriod: flags.number('cpu-period'),
    CpuQuota: flags.number('cpu-quota'),
    CpuRealtimePeriod: flags.number('cpu-rt-period'),
    CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
    CpusetCpus: flags.text('cpuset-cpus'),
    CpusetMems: flags.text('cpuset-mems'),
    Devices: flags
      .list('device')
      .filter((text) => !isCdiDevice(text))
      .flatMap(parseDevice),
    DeviceCgroupRules: orNothing(flags.list('device-cgroup-rule')),
    DeviceRequests: deviceRequests(flags.list('gpus'), flags.list('device')),
    MemoryReservation: flags.number('memory-reservation'),
    MemorySwap: flags.number('memory-swap'),
    MemorySwappiness: flags.number('memory-swappiness'),
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: flags.number('pids-limit'),
    Ulimits: ulimitsOf(flags.list('ulimit')),
    CpuCount: flags.number('cpu-count'),
    CpuPercent: flags.number('cpu-percent'),
    IOMaximumIOps: flags.number('io-maxiops'),
    IOMaximumBandwidth: flags.number('io-maxbandwidth'),
  };
}

function ulimitsOf(texts: readonly string[]): NonNullable<HostConfig['Ulimits']> {
  const byName = new Map(texts.map(parseUlimit).map((limit) => [limit.Name ?? '', limit]));
  return [...byName.values()].sort((left, right) => ((left.Name ?? '') < (right.Name ?? '') ? -1 : 1));
}

function logOptions(flags: Flags): Record<string, string> {
  const driver = flags.text('log-driver');
  if (driver === 'none' && flags.list('log-opt').length > 0) {
    throw new Error(`invalid logging opts for driver ${driver}`);
  }
  return keyValues(flags.list('log-opt'));
}

function storageOptions(texts: readonly string[]): Record<string, string> {
  if (texts.some((text) => !text.includes('='))) throw new Error('invalid storage option');
  return keyValues(texts);
}

/** `no`, `always`, `unless-stopped` or `on-failure[:max]`. @throws Error in Docker's words */
function parseRestartPolicy(text: string): RestartPolicy {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  if (colon === 0)
    throw new HintedError('invalid restart policy format: no policy provided before colon', RESTART_FORM);
  const count = colon === -1 ? '' : text.slice(colon + 1);
  if (colon !== -1 && !/^[+-]?\d+$/.test(count)) {
    throw new HintedError('invalid restart policy format: maximum retry count must be an integer', RESTART_FORM);
  }
  return { Name: name, MaximumRetryCount: Number(count || 0) };
}

function namespaceMode(text: string, complaint: string): string {
  if (text === '' || text === 'host' || joinedContainer(text)) return text;
  throw new Error(complaint);
}

function oneOf(text: string, allowed: readonly string[], complaint: string): string {
  if (allowed.includes(text)) return text;
  throw new Error(complaint);
}
