// Owns the text of `info`, line for line as Docker's. Pure.
import type { Commit, SystemInfo } from '../../../spec/docker/types.gen.ts';
import { binarySize } from '../../render/units.ts';

/** What the client tells of itself. */
export interface ClientInfo {
  readonly Version: string;
  readonly Context: string;
  readonly Debug: boolean;
}

/** The page for a client and, when it answered, its daemon. @source docker 28.2.2 */
export function infoText(client: ClientInfo, info: SystemInfo | undefined): string {
  const clientPart = lines([
    'Client:',
    ` Version:    ${client.Version}`,
    ` Context:    ${client.Context}`,
    ` Debug Mode: ${client.Debug}`,
  ]);
  return `${clientPart}\nServer:\n${info === undefined ? '' : `${serverText(info)}\n`}`;
}

/** Warnings of the daemon, for stderr. */
export function infoWarnings(info: SystemInfo | undefined): readonly string[] {
  return info?.Warnings ?? [];
}

function lines(texts: readonly (string | false | undefined)[]): string {
  return texts
    .filter((text) => typeof text === 'string')
    .map((text) => `${text}\n`)
    .join('');
}

function serverText(info: SystemInfo): string {
  return lines([
    ` Containers: ${info.Containers ?? 0}`,
    `  Running: ${info.ContainersRunning ?? 0}`,
    `  Paused: ${info.ContainersPaused ?? 0}`,
    `  Stopped: ${info.ContainersStopped ?? 0}`,
    ` Images: ${info.Images ?? 0}`,
    optional(' Server Version', info.ServerVersion),
    optional(' Storage Driver', info.Driver),
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ...systemStatusOf(info).map(([name, value]) => ` ${name}: ${value}`),
    optional(' Logging Driver', info.LoggingDriver),
    optional(' Cgroup Driver', info.CgroupDriver),
    optional(' Cgroup Version', info.CgroupVersion),
    ' Plugins:',
    `  Volume: ${(info.Plugins?.Volume ?? []).join(' ')}`,
    `  Network: ${(info.Plugins?.Network ?? []).join(' ')}`,
    info.Plugins?.Authorization?.length ? `  Authorization: ${info.Plugins.Authorization.join(' ')}` : undefined,
    `  Log: ${(info.Plugins?.Log ?? []).join(' ')}`,
    ...section(
      ' CDI spec directories:',
      (info.CDISpecDirs ?? []).map((folder) => `  ${folder}`),
    ),
    ...section(
      ' Discovered Devices:',
      (info.DiscoveredDevices ?? []).map((device) => `  ${device.Source}: ${device.ID}`),
    ),
    ` Swarm: ${info.Swarm?.LocalNodeState ?? ''}`,
    ...runtimeLines(info),
    ...securityLines(info),
    optional(' Kernel Version', info.KernelVersion),
    optional(' Operating System', info.OperatingSystem),
    optional(' OSType', info.OSType),
    optional(' Architecture', info.Architecture),
    ` CPUs: ${info.NCPU ?? 0}`,
    ` Total Memory: ${binarySize(info.MemTotal ?? 0)}`,
    optional(' Name', info.Name),
    optional(' ID', info.ID),
    ` Docker Root Dir: ${info.DockerRootDir ?? ''}`,
    ` Debug Mode: ${info.Debug ?? false}`,
    ...debugLines(info),
    ...registryLines(info),
  ]);
}

/** Of old daemons; the types of today's API do not have it. */
function systemStatusOf(info: SystemInfo): readonly (readonly string[])[] {
  return (info as { readonly SystemStatus?: readonly (readonly string[])[] | null }).SystemStatus ?? [];
}

function optional(name: string, value: string | undefined): string | undefined {
  return value ? `${name}: ${value}` : undefined;
}

function section(heading: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [heading, ...rows];
}

function runtimeLines(info: SystemInfo): string[] {
  if (info.OSType !== 'linux') return [];
  const commit = (name: string, value: Commit | undefined): string => ` ${name} version: ${value?.ID ?? ''}`;
  return [
    ` Runtimes: ${Object.keys(info.Runtimes ?? {})
      .sort()
      .join(' ')}`,
    ` Default Runtime: ${info.DefaultRuntime ?? ''}`,
    ` Init Binary: ${info.InitBinary ?? ''}`,
    commit('containerd', info.ContainerdCommit),
    commit('runc', info.RuncCommit),
    commit('init', info.InitCommit),
  ];
}

/** `name=seccomp,profile=builtin` becomes a name with its options below. */
function securityLines(info: SystemInfo): string[] {
  const rows = (info.SecurityOptions ?? []).flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split('='));
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    const rest = pairs.filter(([key, value]) => key !== 'name' && value !== undefined);
    return [`  ${name}`, ...rest.map(([key, value]) => `   ${key?.[0]?.toUpperCase()}${key?.slice(1)}: ${value}`)];
  });
  return section(' Security Options:', rows);
}

function debugLines(info: SystemInfo): string[] {
  if (!info.Debug) return [];
  return [
    `  File Descriptors: ${info.NFd ?? 0}`,
    `  Goroutines: ${info.NGoroutines ?? 0}`,
    `  System Time: ${info.SystemTime ?? ''}`,
    `  EventsListeners: ${info.NEventsListener ?? 0}`,
  ];
}

function registryLines(info: SystemInfo): (string | undefined)[] {
  const registries = info.RegistryConfig;
  const insecure = [
    ...Object.values(registries?.IndexConfigs ?? {})
      .filter((index) => index.Secure === false)
      .map((index) => `  ${index.Name ?? ''}`),
    ...(registries?.InsecureRegistryCIDRs ?? []).map((range) => `  ${range}`),
  ];
  const pools = (info.DefaultAddressPools ?? []).map((pool) => `   Base: ${pool.Base}, Size: ${pool.Size}`);
  return [
    optional(' HTTP Proxy', info.HttpProxy),
    optional(' HTTPS Proxy', info.HttpsProxy),
    optional(' No Proxy', info.NoProxy),
    ...section(
      ' Labels:',
      (info.Labels ?? []).map((label) => `  ${label}`),
    ),
    ` Experimental: ${info.ExperimentalBuild ?? false}`,
    ...section(' Insecure Registries:', insecure),
    ...section(
      ' Registry Mirrors:',
      (registries?.Mirrors ?? []).map((mirror) => `  ${mirror}`),
    ),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled ?? false}`,
    optional(' Product License', info.ProductLicense),
    ...section(' Default Address Pools:', pools),
    optional(' Firewall Backend', info.FirewallBackend?.Driver),
  ];
}
