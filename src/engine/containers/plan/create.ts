// Owns the step from a create request and facts to a complete container record. Pure: ids, times and volumes are given.

import { ZERO_TIME } from '../../../lib/clock.ts';
import { shortId } from '../../../lib/ids.ts';
import { joinedContainer, joinMode } from '../../../spec/docker/join-mode.ts';
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from '../../../spec/docker/types.gen.ts';
import type { ImageRecord } from '../../images/types.ts';
import { invalidName } from '../errors.ts';
import type { ContainerRecord, ContainerState, MountRecord } from '../types.ts';
import { checkConfig, checkNul, commandOf, mergeConfig } from './config.ts';
import { planEndpoints } from './endpoints.ts';
import { completeHostConfig, type HostFacts } from './host-config.ts';
import { checkIdentity } from './identity.ts';
import { checkModes } from './modes.ts';
import { type MountRequest, planMounts } from './mounts.ts';
import { portRequests } from './ports.ts';

const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without its leading slash. @throws INVALID_CONTAINER_NAME */
export function checkName(name: string): string {
  if (!NAME.test(name)) throw invalidName(name);
  return name.replace(/^\//, '');
}

/** The modes that may name another container. */
export type PeerMode = 'NetworkMode' | 'PidMode' | 'IpcMode';

export interface Peer {
  readonly id: string;
  readonly hostName: string;
}

export interface CreateFacts extends HostFacts {
  readonly id: string;
  /** RFC 3339. */
  readonly created: string;
  readonly image: ImageRecord;
  readonly hostName: string;
  /** Containers whose namespaces are joined, as far as they are there. */
  readonly peers: Readonly<Partial<Record<PeerMode, Peer>>>;
  /** Mounts of the containers named in VolumesFrom, with their modes applied. */
  readonly inherited: readonly MountRecord[];
}

export interface CreatePlan {
  /** Everything but `name` and the volumes' sources. */
  readonly record: Omit<ContainerRecord, 'name' | 'mounts'>;
  readonly mounts: readonly MountRequest[];
  readonly warnings: readonly string[];
}

export const INITIAL_STATE: ContainerState = {
  phase: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: ZERO_TIME,
  finishedAt: ZERO_TIME,
  restartCount: 0,
  stoppedByHand: false,
};

/** @throws GantryError, in Docker's words, for a request that can never work */
export function planCreate(body: ContainerCreateRequest, facts: CreateFacts): CreatePlan {
  const { HostConfig: given = {}, NetworkingConfig, ...givenConfig } = body;
  checkModes(givenConfig, given);
  checkIdentity(givenConfig, given);
  checkConfig(givenConfig);
  const merged = mergeConfig(givenConfig, facts.image.config);
  const command = commandOf(merged);
  checkNul(merged);
  const { hostConfig, warnings } = completeHostConfig(withPeerIds(given, facts.peers), facts);
  const config = withHostname(merged, hostConfig, facts);
  const mounts = planMounts(config, hostConfig, facts.inherited);
  portRequests(config, hostConfig);
  return {
    record: {
      id: facts.id,
      created: facts.created,
      imageId: facts.image.id,
      imageName: body.Image ?? '',
      platform: facts.image.platform,
      config: { ...config, ExposedPorts: exposedPorts(config, hostConfig) },
      hostConfig,
      networks: planEndpoints(given, NetworkingConfig),
      command,
      runtime: hostConfig.Runtime ?? facts.defaultRuntime,
      logDriver: hostConfig.LogConfig?.Type ?? facts.logDriver,
      logOptions: hostConfig.LogConfig?.Config ?? {},
      state: INITIAL_STATE,
      endpoints: [],
    },
    mounts,
    warnings: [...warnings, ...publishWarnings(hostConfig)],
  };
}

/** Who shares a namespace goes on doing so when the other is renamed. */
function withPeerIds(given: HostConfig, peers: CreateFacts['peers']): HostConfig {
  const found = Object.entries(peers).map(([mode, peer]) => [mode, joinMode(peer.id)] as const);
  return { ...given, ...Object.fromEntries(found) };
}

function withHostname(config: ContainerConfig, hostConfig: HostConfig, facts: CreateFacts): ContainerConfig {
  const mode = hostConfig.NetworkMode ?? '';
  const own = mode === 'host' ? facts.hostName : shortId(facts.id);
  const isJoined = joinedContainer(mode) !== undefined;
  const hostname = isJoined ? (facts.peers.NetworkMode?.hostName ?? '') : config.Hostname || own;
  return { ...config, Hostname: hostname, Domainname: config.Domainname ?? '' };
}

/** Published ports count as exposed. */
function exposedPorts(config: ContainerConfig, hostConfig: HostConfig): ContainerConfig['ExposedPorts'] {
  const published = Object.keys(hostConfig.PortBindings ?? {}).map((key) => [key, {}] as const);
  const all = { ...config.ExposedPorts, ...Object.fromEntries(published) };
  return Object.keys(all).length > 0 ? all : undefined;
}

function publishWarnings({ NetworkMode, PortBindings }: HostConfig): readonly string[] {
  const isPublished = Object.keys(PortBindings ?? {}).length > 0;
  return NetworkMode === 'host' && isPublished ? ['Published ports are discarded when using host network mode'] : [];
}
