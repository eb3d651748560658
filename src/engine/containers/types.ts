// Owns the shapes of the container capability: record, live view, inputs and its face. No behaviour.

import type { Duplex } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type {
  ContainerConfig,
  ContainerCreateRequest,
  EndpointIPAMConfig,
  HostConfig,
} from '../../spec/docker/types.gen.ts';
import type { Platform } from '../../spec/platform.ts';
import type { HealthState } from '../health/types.ts';
import type { Endpoint } from '../networks/types.ts';

/** 64 lower-case hex digits. */
export type ContainerId = string;

export type ContainerPhase = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** A file system put into the container, as resolved at create. */
export interface MountRecord {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Volume name, for volumes. */
  readonly name?: string | undefined;
  /** Host path; '' for tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly driver?: string | undefined;
  /** Docker's mode text, e.g. `z`, `ro`, ''. */
  readonly mode: string;
  readonly writable: boolean;
  readonly propagation: string;
  /** Volumes only: false with `nocopy`. */
  readonly copyUp?: boolean | undefined;
  /** True for a volume that this container made without a name. */
  readonly anonymous?: boolean | undefined;
  /** tmpfs options, or bind options such as `bind-nonrecursive`. */
  readonly options?: readonly string[] | undefined;
  /** Volumes only: what of it is mounted, relative; absent = all. */
  readonly subpath?: string | undefined;
  /** Create the missing bind source (the `-v` form does, `--mount` does not). */
  readonly createSource?: boolean | undefined;
}

/** What the container's last or present run is. Times are RFC 3339 with nanoseconds; zero time = never. */
export interface ContainerState {
  readonly phase: ContainerPhase;
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** True after a stop by hand: restart policies other than `always` respect it at the next daemon start. */
  readonly stoppedByHand: boolean;
}

/** The stored container. `config` and `hostConfig` are Docker's create body, completed with the image's defaults (ADR 0002). */
export interface ContainerRecord {
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly created: string;
  readonly imageId: Digest;
  /** The image as the user named it. */
  readonly imageName: string;
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Networks asked for at create: name → settings. */
  readonly networks: Readonly<Record<string, EndpointSpec>>;
  readonly mounts: readonly MountRecord[];
  /** argv of the process: path first. */
  readonly command: readonly string[];
  /** OCI runtime by name. */
  readonly runtime: string;
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  /** What is attached now; [] when stopped. */
  readonly endpoints: readonly Endpoint[];
}

/** How a container is to be attached to one network, as it was asked. */
export interface EndpointSpec {
  readonly aliases: readonly string[];
  readonly ipam?: EndpointIPAMConfig | undefined;
  readonly links?: readonly string[] | undefined;
  readonly macAddress?: string | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
  readonly gatewayPriority?: number | undefined;
}

/** Absolute paths of the files that belong to a container. */
export interface ContainerPaths {
  readonly dir: string;
  readonly resolvConf: string;
  readonly hostname: string;
  readonly hosts: string;
  readonly log: string;
  /** Where the /dev/shm that others may join is mounted. */
  readonly shm: string;
  readonly upper: string;
  readonly work: string;
}

/** A record with the facts that are not stored. */
export interface ContainerView {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  /** Absent without a health check. */
  readonly health?: HealthState | undefined;
  /** Ids of running execs. */
  readonly execIds: readonly string[];
  /** Overlay lower directories, absolute, for inspect's GraphDriver. */
  readonly lowerDirs: readonly string[];
}

export interface CreateRequest {
  /** Without leading slash; generated when absent. */
  readonly name?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly body: ContainerCreateRequest;
}

export interface CreateResult {
  readonly id: ContainerId;
  readonly warnings: readonly string[];
}

export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay stored output first. */
  readonly logs: boolean;
  /** Stay for live output. */
  readonly stream: boolean;
  /** Detach key bytes; undefined = ctrl-p ctrl-q. Looked for only with a tty. */
  readonly detachKeys?: Uint8Array | undefined;
}

/** An attachment that is already joined: read output (framed unless `tty`), write stdin, end() = half-close. */
export interface AttachedStream {
  readonly tty: boolean;
  readonly stream: Duplex;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string | undefined;
}

export interface LogsRequest {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  /** Unix nanoseconds, inclusive. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Number of last lines; undefined = all. */
  readonly tail?: number | undefined;
}

export interface ListFilter {
  readonly all: boolean;
  readonly limit?: number | undefined;
  /** Docker's filters, decoded: key → values. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
}

export interface ContainerSize {
  readonly sizeRwBytes: number;
  readonly sizeRootFsBytes: number;
}

export interface TopResult {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/** What changes containers. */
interface ContainerVerbs {
  create(request: CreateRequest): Promise<CreateResult>;
  /** @throws notModified when running already. */
  start(ref: string): Promise<void>;
  /** @throws notModified when not running. timeoutSeconds: undefined = the container's, -1 = for ever. */
  stop(
    ref: string,
    options: { readonly timeoutSeconds?: number | undefined; readonly signal?: string | undefined },
  ): Promise<void>;
  restart(
    ref: string,
    options: { readonly timeoutSeconds?: number | undefined; readonly signal?: string | undefined },
  ): Promise<void>;
  /** signal: name with or without SIG, or number; '' = KILL. @throws invalid `invalid signal: X`; conflict `… is not running`. */
  kill(ref: string, signal: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, newName: string): Promise<void>;
  remove(
    ref: string,
    options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean },
  ): Promise<void>;
  prune(
    filters: ReadonlyMap<string, readonly string[]>,
  ): Promise<{ readonly ids: readonly string[]; readonly reclaimedBytes: number }>;
}

/** What lasts as long as its caller listens. */
interface ContainerStreams {
  /** `ready` runs once the wait is registered and the id is known, so that headers can go out. */
  wait(ref: string, condition: WaitCondition, ready: () => void, signal: AbortSignal): Promise<WaitResult>;
  attach(ref: string, request: AttachRequest, signal: AbortSignal): Promise<AttachedStream>;
  /** Chunks ready for the wire: Docker frames, or raw bytes when the container has a tty. Ends by itself unless `follow`. */
  logs(
    ref: string,
    request: LogsRequest,
    signal: AbortSignal,
  ): Promise<{ readonly tty: boolean; readonly chunks: AsyncIterable<Uint8Array> }>;
  resize(ref: string, rows: number, columns: number): Promise<void>;
}

/** What reads containers. */
interface ContainerReader {
  top(ref: string, psArgs: string): Promise<TopResult>;
  view(ref: string): ContainerView;
  list(filter: ListFilter): readonly ContainerView[];
  /** Walks the writable layer; slow. */
  size(ref: string): Promise<ContainerSize>;
}

/** The container capability. `ref` is an id, a name or a unique id prefix; unknown → NO_SUCH_CONTAINER. */
export interface Containers extends ContainerVerbs, ContainerStreams, ContainerReader {}
