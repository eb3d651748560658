// Owns the step from a container's record and facts to what its OCI configuration is built from. Pure.

import type { BundleHost, BundleInput, NetworkPlace, RuntimeTraits } from '../../runtime/bundle/index.ts';
import type { ResolvedUser } from '../../runtime/user.ts';
import type { HostConfig } from '../../spec/docker/types.gen.ts';
import { type ConfigureRequest, networkPlan } from '../containers/index.ts';
import type { ContainerPaths, ContainerRecord } from '../containers/types.ts';
import type { HostResources } from './facts.ts';

/** Stands in where the user does not matter yet. */
export const ROOT_USER: ResolvedUser = { uid: 0, gid: 0, groups: [], home: '/root' };

/** The host as containers of this daemon get it. */
export interface EngineHost extends BundleHost {
  /** The daemon's own `--security-opt`s, which a container's override; the seccomp profile counts for unprivileged ones only. */
  readonly securityOptions?: readonly string[] | undefined;
}

export interface BundleFacts {
  readonly host: EngineHost;
  readonly runtime: RuntimeTraits;
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  readonly rootfsPath: string;
  readonly user: ResolvedUser;
  readonly peers: ConfigureRequest['peers'];
  readonly shmPath?: string | undefined;
  readonly resources: HostResources;
}

export function bundleInput({
  host,
  runtime,
  record,
  paths,
  rootfsPath,
  user,
  peers,
  shmPath,
  resources,
}: BundleFacts): BundleInput {
  return {
    id: record.id,
    config: record.config,
    hostConfig: withSecurityOptions(record.hostConfig, host),
    command: record.command,
    user,
    rootfsPath,
    files: { resolvConf: paths.resolvConf, hostname: paths.hostname, hosts: paths.hosts },
    network: networkPlace(record, peers),
    joinPid: peers.pid,
    joinIpc: peers.ipc,
    shmPath,
    ...resources,
    runtime,
    host,
  };
}

function withSecurityOptions(hostConfig: HostConfig, { securityOptions = [] }: EngineHost): HostConfig {
  const ofDaemon = securityOptions.filter((option) => !hostConfig.Privileged || !option.startsWith('seccomp='));
  return ofDaemon.length === 0
    ? hostConfig
    : { ...hostConfig, SecurityOpt: [...ofDaemon, ...(hostConfig.SecurityOpt ?? [])] };
}

function networkPlace(record: ContainerRecord, peers: ConfigureRequest['peers']): NetworkPlace {
  const { kind } = networkPlan(record);
  if (kind === 'own' || kind === 'host') return { kind };
  return { kind: 'join', pid: peers.network ?? 0 };
}
