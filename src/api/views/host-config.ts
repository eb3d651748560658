// Owns HostConfig and Config as inspect shows them: field order and what stands for absent fields. Pure tables.

import type { ContainerRecord } from '../../engine/containers/types.ts';
import type { ContainerConfig, HostConfig } from '../../spec/docker/types.gen.ts';
import { type FieldTable, inOrder, OMIT, sortedMap } from './fields.ts';

/** @source dockerd 28.5.2, GET /containers/{id}/json */
const HOST_CONFIG: FieldTable = [
  ['Binds', null],
  ['ContainerIDFile', ''],
  ['LogConfig', null],
  ['NetworkMode', 'bridge'],
  ['PortBindings', null],
  ['RestartPolicy', null],
  ['AutoRemove', false],
  ['VolumeDriver', ''],
  ['VolumesFrom', null],
  ['ConsoleSize', [0, 0]],
  ['Annotations', OMIT],
  ['CapAdd', null],
  ['CapDrop', null],
  ['CgroupnsMode', ''],
  ['Dns', null],
  ['DnsOptions', null],
  ['DnsSearch', null],
  ['ExtraHosts', null],
  ['GroupAdd', null],
  ['IpcMode', 'private'],
  ['Cgroup', ''],
  ['Links', null],
  ['OomScoreAdj', 0],
  ['PidMode', ''],
  ['Privileged', false],
  ['PublishAllPorts', false],
  ['ReadonlyRootfs', false],
  ['SecurityOpt', null],
  ['StorageOpt', OMIT],
  ['Tmpfs', OMIT],
  ['UTSMode', ''],
  ['UsernsMode', ''],
  ['ShmSize', 67_108_864],
  ['Sysctls', OMIT],
  ['Runtime', OMIT],
  ['Isolation', ''],
  ['CpuShares', 0],
  ['Memory', 0],
  ['NanoCpus', 0],
  ['CgroupParent', ''],
  ['BlkioWeight', 0],
  ['BlkioWeightDevice', null],
  ['BlkioDeviceReadBps', null],
  ['BlkioDeviceWriteBps', null],
  ['BlkioDeviceReadIOps', null],
  ['BlkioDeviceWriteIOps', null],
  ['CpuPeriod', 0],
  ['CpuQuota', 0],
  ['CpuRealtimePeriod', 0],
  ['CpuRealtimeRuntime', 0],
  ['CpusetCpus', ''],
  ['CpusetMems', ''],
  ['Devices', null],
  ['DeviceCgroupRules', null],
  ['DeviceRequests', null],
  ['KernelMemory', OMIT],
  ['KernelMemoryTCP', OMIT],
  ['MemoryReservation', 0],
  ['MemorySwap', 0],
  ['MemorySwappiness', null],
  ['OomKillDisable', null],
  ['PidsLimit', null],
  ['Ulimits', null],
  ['CpuCount', 0],
  ['CpuPercent', 0],
  ['IOMaximumIOps', 0],
  ['IOMaximumBandwidth', 0],
  ['Mounts', OMIT],
  ['MaskedPaths', null],
  ['ReadonlyPaths', null],
  ['Init', OMIT],
];

const CONFIG: FieldTable = [
  ['Hostname', ''],
  ['Domainname', ''],
  ['User', ''],
  ['AttachStdin', false],
  ['AttachStdout', false],
  ['AttachStderr', false],
  ['ExposedPorts', OMIT],
  ['Tty', false],
  ['OpenStdin', false],
  ['StdinOnce', false],
  ['Env', null],
  ['Cmd', null],
  ['Healthcheck', OMIT],
  ['ArgsEscaped', OMIT],
  ['Image', ''],
  ['Volumes', null],
  ['WorkingDir', ''],
  ['Entrypoint', null],
  ['NetworkDisabled', OMIT],
  ['MacAddress', OMIT],
  ['OnBuild', null],
  ['Labels', {}],
  ['StopSignal', OMIT],
  ['StopTimeout', OMIT],
  ['Shell', OMIT],
];

const HEALTHCHECK: FieldTable = [
  ['Test', OMIT],
  ['Interval', OMIT],
  ['Timeout', OMIT],
  ['StartPeriod', OMIT],
  ['StartInterval', OMIT],
  ['Retries', OMIT],
];

/** The HostConfig of inspect. */
export function hostConfigView(record: ContainerRecord): HostConfig {
  const { hostConfig, logDriver, logOptions, runtime } = record;
  const view = inOrder(HOST_CONFIG, hostConfig);
  const asked = hostConfig.LogConfig;
  view.LogConfig = { Type: asked?.Type || logDriver, Config: sortedMap(asked?.Config ?? logOptions) };
  const restart = hostConfig.RestartPolicy;
  view.RestartPolicy = { Name: restart?.Name || 'no', MaximumRetryCount: restart?.MaximumRetryCount ?? 0 };
  if (view.Runtime === undefined) view.Runtime = runtime;
  // A false `Init` was said on purpose; only an absent one is left out.
  if (hostConfig.Init === false) view.Init = false;
  return view;
}

/** The Config of inspect. */
export function containerConfigView(record: ContainerRecord): ContainerConfig {
  const { config } = record;
  const view = inOrder(CONFIG, config);
  view.Labels = sortedMap(config.Labels ?? {});
  if (config.ExposedPorts && view.ExposedPorts) view.ExposedPorts = sortedMap(config.ExposedPorts);
  if (config.Healthcheck && view.Healthcheck) view.Healthcheck = inOrder(HEALTHCHECK, config.Healthcheck);
  if (config.StopTimeout === 0) view.StopTimeout = 0;
  return view;
}
