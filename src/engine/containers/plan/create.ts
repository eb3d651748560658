// Owns the step from a create request and facts to a complete container record. Pure: ids, times and volumes are given.

import { ZERO_TIME } from '../../../lib/clock.ts';
import { shortId } from '../../../lib/ids.ts';
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from '../../../spec/docker/types.gen.ts';
import { parseSignal } from '../../../spec/signals.ts';
import type { ImageRecord } from '../../images/types.ts';
import { invalid, invalidName } from '../errors.ts';
import type { ContainerRecord, ContainerState, EndpointWish, MountRecord } from '../types.ts';
import { commandOf, mergeConfig } from './config.ts';
import { completeHostConfig, type HostFacts } from './host-config.ts';
import { type MountWish, planMounts } from './mounts.ts';
import { portRequests } from './ports.ts';

const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without its leading slash. @throws INVALID_CONTAINER_NAME */
export function checkName(name: string): string {
  if (!NAME.test(name)) throw invalidName(name);
  return name.replace(/^\//, '');
}

export interface CreateFacts extends HostFacts {
  readonly id: string;
  /** RFC 3339. */
  readonly created: string;
  readonly image: ImageRecord;
  readonly hostName: string;
  /** Of the container whose network is joined; '' otherwise. */
  readonly peerHostName: string;
  /** Mounts of the containers named in VolumesFrom, with their modes applied. */
  readonly inherited: readonly MountRecord[];
}

export interface CreatePlan {
  /** Everything but `name` and the volumes' sources. */
  readonly record: Omit<ContainerRecord, 'name' | 'mounts'>;
  readonly mounts: readonly MountWish[];
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

/** @throws GantryError invalid, in Docker's words, for a request that can never work */
export function planCreate(body: ContainerCreateRequest, facts: CreateFacts): CreatePlan {
  const { HostConfig: givenHost = {}, NetworkingConfig, ...givenConfig } = body;
  const merged = mergeConfig(givenConfig, facts.image.config);
  const command = commandOf(merged);
  if (merged.WorkingDir && !merged.WorkingDir.startsWith('/')) {
    throw invalid(
      'WORKING_DIR',
      `the working directory '${merged.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  checkHealth(merged.Healthcheck);
  if (merged.StopSignal) parseSignal(merged.StopSignal);
  const hostConfig = completeHostConfig(givenHost, facts);
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
      networks: networkWishes(hostConfig, NetworkingConfig),
      command,
      runtime: hostConfig.Runtime ?? facts.defaultRuntime,
      logDriver: hostConfig.LogConfig?.Type ?? facts.logDriver,
      logOptions: hostConfig.LogConfig?.Config ?? {},
      state: INITIAL_STATE,
      endpoints: [],
    },
    mounts,
    warnings: warningsFor(hostConfig),
  };
}

const HEALTH_TIMES = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
const LEAST_HEALTH_NS = 1_000_000;

/** @source moby's validateHealthCheck, texts seen on 28.5 */
function checkHealth(check: ContainerConfig['Healthcheck']): void {
  for (const name of HEALTH_TIMES) {
    const ns = check?.[name] ?? 0;
    if (ns !== 0 && ns < LEAST_HEALTH_NS)
      throw invalid('HEALTHCHECK', `${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((check?.Retries ?? 0) < 0) throw invalid('HEALTHCHECK', 'Retries in Healthcheck cannot be negative');
}

function withHostname(config: ContainerConfig, hostConfig: HostConfig, facts: CreateFacts): ContainerConfig {
  const mode = hostConfig.NetworkMode ?? '';
  if (mode.startsWith('container:') && config.Hostname) {
    throw invalid('HOSTNAME_WITH_CONTAINER_NETWORK', 'conflicting options: hostname and the network mode');
  }
  if (mode.startsWith('container:'))
    return { ...config, Hostname: facts.peerHostName, Domainname: config.Domainname ?? '' };
  const hostname =
    config.Hostname || (mode === 'host' || hostConfig.UTSMode === 'host' ? facts.hostName : shortId(facts.id));
  return { ...config, Hostname: hostname, Domainname: config.Domainname ?? '' };
}

/** Published ports count as exposed. */
function exposedPorts(config: ContainerConfig, hostConfig: HostConfig): ContainerConfig['ExposedPorts'] {
  const published = Object.keys(hostConfig.PortBindings ?? {}).map((key) => [key, {}] as const);
  const all = { ...config.ExposedPorts, ...Object.fromEntries(published) };
  return Object.keys(all).length > 0 ? all : undefined;
}

function networkWishes(
  hostConfig: HostConfig,
  networking: ContainerCreateRequest['NetworkingConfig'],
): Readonly<Record<string, EndpointWish>> {
  // A map, since any text is a name here, `__proto__` too.
  const wishes = new Map<string, EndpointWish>();
  const mode = hostConfig.NetworkMode ?? 'bridge';
  if (!mode.startsWith('container:')) wishes.set(mode, { aliases: [] });
  for (const [name, settings] of Object.entries(networking?.EndpointsConfig ?? {})) {
    const ipv4Address = settings?.IPAMConfig?.IPv4Address || undefined;
    if (ipv4Address && ['bridge', 'host', 'none', 'default'].includes(name)) {
      throw invalid(
        'STATIC_ADDRESS',
        'invalid config for network bridge: user specified IP address is supported on user defined networks only',
      );
    }
    wishes.set(name === 'default' ? 'bridge' : name, {
      aliases: settings?.Aliases ?? [],
      ipv4Address,
      macAddress: settings?.MacAddress || undefined,
    });
  }
  return Object.fromEntries(wishes);
}

function warningsFor(hostConfig: HostConfig): readonly string[] {
  const warnings: string[] = [];
  const published = Object.keys(hostConfig.PortBindings ?? {}).length > 0 || hostConfig.PublishAllPorts;
  if (hostConfig.NetworkMode === 'host' && published) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  return warnings;
}
