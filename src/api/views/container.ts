// Owns a container as Docker shows it: inspect, list line and the STATUS wording. Pure; asks nothing of the engine.

import type {
  ContainerRecord,
  ContainerSize,
  ContainerState,
  ContainerView,
  MountRecord,
} from '../../engine/containers/types.ts';
import type { HealthState, HealthStatus } from '../../engine/health/types.ts';
import type {
  ContainerInspectResponse,
  ContainerSummary,
  ContainerState as DockerState,
  Health,
  MountPoint,
} from '../../spec/docker/types.gen.ts';
import { humanDuration, isZeroTime, millisSince, unixSeconds, ZERO_TIME } from '../../spec/time.ts';
import { mapOrNull, sortedMap } from './fields.ts';
import { containerConfigView, hostConfigView } from './host-config.ts';
import { isUp, type NetworkIds, networkSettingsView, networksView, portSummaries } from './network-settings.ts';

/** GET /containers/{id}/json. Field order is Docker's. @source dockerd 28.5.2 */
export function containerInspectView(
  view: ContainerView,
  idOf: NetworkIds,
  size?: ContainerSize,
): ContainerInspectResponse {
  const { record, paths } = view;
  const [path = '', ...args] = record.command;
  const prepared = !isZeroTime(record.state.startedAt);
  return {
    Id: record.id,
    Created: record.created,
    Path: path,
    Args: args,
    State: stateView(record.state, view.health),
    Image: record.imageId,
    ResolvConfPath: prepared ? paths.resolvConf : '',
    HostnamePath: prepared ? paths.hostname : '',
    HostsPath: prepared ? paths.hosts : '',
    LogPath: prepared && record.logDriver === 'json-file' ? paths.log : '',
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: 'overlay2',
    Platform: record.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: view.execIds.length > 0 ? view.execIds : null,
    HostConfig: hostConfigView(record),
    GraphDriver: { Data: graphData(view), Name: 'overlay2' },
    ...(size ? { SizeRw: size.sizeRwBytes, SizeRootFs: size.sizeRootFsBytes } : {}),
    Mounts: mountsView(record),
    Config: containerConfigView(record),
    NetworkSettings: networkSettingsView(record, idOf),
  };
}

function stateView(state: ContainerState, health: HealthState | undefined): DockerState {
  const { phase } = state;
  return {
    Status: phase,
    Running: phase === 'running' || phase === 'paused' || phase === 'restarting',
    Paused: phase === 'paused',
    Restarting: phase === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: phase === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt || ZERO_TIME,
    FinishedAt: state.finishedAt || ZERO_TIME,
    ...(health ? { Health: healthView(health) } : {}),
  };
}

function healthView({ status, failingStreak, log }: HealthState): Health {
  const probes = log.map(({ start, end, exitCode, output }) => ({
    Start: start,
    End: end,
    ExitCode: exitCode,
    Output: output,
  }));
  return { Status: status, FailingStreak: failingStreak, Log: probes };
}

/** The root is mounted in the container's own mount namespace only, so the merged view is reached through its process. */
function graphData(view: ContainerView): Record<string, string> {
  const { record, paths, lowerDirs } = view;
  return {
    ID: record.id,
    LowerDir: lowerDirs.join(':'),
    MergedDir: isUp(record) ? `/proc/${record.state.pid}/root` : '',
    UpperDir: paths.upper,
    WorkDir: paths.work,
  };
}

function mountsView(record: ContainerRecord): MountPoint[] {
  const tmpfsFlags = new Set(Object.keys(record.hostConfig.Tmpfs ?? {}));
  const shown = record.mounts.filter((mount) => mount.type !== 'tmpfs' || !tmpfsFlags.has(mount.destination));
  return shown.map(mountView).sort((a, b) => (String(a.Destination) < String(b.Destination) ? -1 : 1));
}

function mountView(mount: MountRecord): MountPoint {
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.type === 'tmpfs' ? '' : mount.source,
    Destination: mount.destination,
    ...(mount.driver === undefined ? {} : { Driver: mount.driver }),
    Mode: mount.mode,
    RW: mount.writable,
    Propagation: mount.propagation,
  };
}

/** What a list line needs beside the record. */
export interface SummaryFacts {
  readonly idOf: NetworkIds;
  readonly nowMs: number;
  /** The image's name while it still means this container's image, else the image id. */
  readonly image: string;
  readonly size?: ContainerSize | undefined;
  readonly health?: HealthState | undefined;
}

/** One line of GET /containers/json. */
export function containerSummaryView(record: ContainerRecord, facts: SummaryFacts): ContainerSummary {
  const annotations = mapOrNull(record.hostConfig.Annotations);
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: facts.image,
    ImageID: record.imageId,
    Command: commandText(record.command),
    Created: unixSeconds(record.created),
    Ports: portSummaries(record),
    ...sizes(facts.size),
    Labels: sortedMap(record.config.Labels ?? {}),
    State: record.state.phase,
    Status: statusText(record.state, facts.nowMs, facts.health?.status),
    HostConfig: { NetworkMode: networkMode(record), ...(annotations ? { Annotations: annotations } : {}) },
    NetworkSettings: { Networks: networksView(record, facts.idOf) },
    Mounts: mountsView(record),
  };
}

function sizes(size: ContainerSize | undefined): Record<string, number> {
  if (!size) return {};
  return {
    ...(size.sizeRwBytes > 0 ? { SizeRw: size.sizeRwBytes } : {}),
    ...(size.sizeRootFsBytes > 0 ? { SizeRootFs: size.sizeRootFsBytes } : {}),
  };
}

function networkMode(record: ContainerRecord): string {
  const mode = record.hostConfig.NetworkMode ?? '';
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

function commandText(command: readonly string[]): string {
  const [path = '', ...args] = command;
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** STATUS of `docker ps`. @source moby container.State.String */
export function statusText(state: ContainerState, nowMs: number, health?: HealthStatus): string {
  const up = humanDuration(millisSince(state.startedAt, nowMs));
  const ended = humanDuration(millisSince(state.finishedAt, nowMs));
  switch (state.phase) {
    case 'running':
      return `Up ${up}${healthText(health)}`;
    case 'paused':
      return `Up ${up} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${ended} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return isZeroTime(state.finishedAt) ? '' : `Exited (${state.exitCode}) ${ended} ago`;
  }
}

function healthText(health: HealthStatus | undefined): string {
  if (!health) return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
