// Owns what a daemon gives to containers that do not ask otherwise. Pure.

import { isIPv6 } from 'node:net';
import type { HostConfig, HostConfigUlimit } from '../../spec/docker/types.gen.ts';

/** Those of one daemon; '' and [] leave it to the engine. A reload may change them: they are looked up when they are needed. */
export interface ContainerDefaults {
  readonly shmSizeBytes?: number | undefined;
  /** `private` or `shareable`. */
  readonly ipcMode?: string | undefined;
  /** `private` or `host`. */
  readonly cgroupnsMode?: string | undefined;
  readonly cgroupParent?: string | undefined;
  readonly ulimits?: readonly HostConfigUlimit[] | undefined;
  readonly stopTimeoutSeconds?: number | undefined;
  readonly dns?: readonly string[] | undefined;
  readonly dnsSearch?: readonly string[] | undefined;
  readonly dnsOptions?: readonly string[] | undefined;
  /** What `host-gateway` means. */
  readonly hostGatewayIps?: readonly string[] | undefined;
}

/**
 * The request's host configuration with what the container keeps of the defaults, whatever the settings of a later daemon are.
 * @source dockerd 28.5, inspect; its cgroup parent alone is not shown there, but here it says where the container's cgroup is
 */
export function withDefaults(asked: HostConfig, defaults: ContainerDefaults, cgroupVersion: 1 | 2): HostConfig {
  const ulimits = mergeUlimits(asked.Ulimits ?? [], defaults.ulimits ?? []);
  return {
    ...asked,
    ...(!asked.ShmSize && defaults.shmSizeBytes && { ShmSize: defaults.shmSizeBytes }),
    ...(!asked.IpcMode && defaults.ipcMode && { IpcMode: defaults.ipcMode }),
    ...(!asked.CgroupParent && defaults.cgroupParent && { CgroupParent: defaults.cgroupParent }),
    ...(!asked.CgroupnsMode && defaults.cgroupnsMode && { CgroupnsMode: namespaceOf(asked, defaults, cgroupVersion) }),
    ...(ulimits.length > 0 && { Ulimits: ulimits }),
  };
}

/** On version 1 a privileged container sees the host's cgroups. */
function namespaceOf(
  { Privileged }: HostConfig,
  { cgroupnsMode }: ContainerDefaults,
  cgroupVersion: 1 | 2,
): NonNullable<HostConfig['CgroupnsMode']> {
  return Privileged && cgroupVersion === 1 ? 'host' : (cgroupnsMode as NonNullable<HostConfig['CgroupnsMode']>);
}

function mergeUlimits(own: readonly HostConfigUlimit[], defaults: readonly HostConfigUlimit[]): HostConfigUlimit[] {
  const named = new Set(own.map(({ Name }) => Name));
  return [...own, ...defaults.filter(({ Name }) => !named.has(Name))];
}

/** The container's own list, or the daemon's. */
export function ownOr(own: readonly string[] | null | undefined, ofDaemon: readonly string[] = []): readonly string[] {
  return own && own.length > 0 ? own : ofDaemon;
}

/** Entries of ExtraHosts with `host-gateway` replaced by the daemon's addresses for it, if it has any. */
export function withHostGateways(
  extraHosts: readonly string[],
  { hostGatewayIps = [] }: ContainerDefaults,
): readonly string[] {
  if (hostGatewayIps.length === 0) return extraHosts;
  return extraHosts.flatMap((entry) => {
    const [, name] = /^(.*):host-gateway$/.exec(entry) ?? [];
    return name === undefined ? [entry] : hostGatewayIps.map((ip) => `${name}:${isIPv6(ip) ? `[${ip}]` : ip}`);
  });
}
