// Owns what bundle assembly is given: request, resolved facts and paths. No behaviour.

import type { ContainerConfig, HostConfig } from '../../spec/docker/types.gen.ts';
import type { ResolvedUser } from '../user.ts';

/** A file system to put into the container: the engine's MountRecord with a fact about its source. */
export interface BundleMount {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Absolute host path; '' for tmpfs. */
  readonly source: string;
  /** False for files, sockets and device nodes; tmpfs counts as a directory. */
  readonly sourceIsDirectory: boolean;
  readonly destination: string;
  readonly writable: boolean;
  /** Docker's word (`rprivate`, `rslave`, …); '' = the runtime's default. */
  readonly propagation: string;
  /** tmpfs options, or `bind-nonrecursive`, `readonly-nonrecursive`, `readonly-force-recursive`. */
  readonly options?: readonly string[] | undefined;
}

/** A device node of the host, as it shall appear in the container. */
export interface DeviceFact {
  /** Absolute, in the container. */
  readonly path: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of `r`, `w`, `m`. */
  readonly access: string;
}

/** A block device of a throttle or weight setting. */
export interface BlockDeviceFact {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

/** What is true of this host and its runtime for every container. */
export interface BundleHost {
  /** As in platforms: `amd64`. */
  readonly architecture: string;
  readonly kernel: readonly [major: number, minor: number];
  readonly hostname: string;
  /** `CAP_X` that the engine itself holds. */
  readonly capabilities: readonly string[];
  readonly cgroupVersion: 1 | 2;
  /** Cgroup below which containers lie unless --cgroup-parent says otherwise, e.g. `/gantry`; one per engine. */
  readonly cgroupParent: string;
  /** The kernel confines by AppArmor profiles. */
  readonly apparmor: boolean;
  /** Mount points of the version 1 hierarchies; [] on version 2. */
  readonly cgroupMounts: readonly string[];
  /** Static program that `--init` puts at /sbin/docker-init. */
  readonly initBinary: string;
  /** What that program wants before `--` and the command; left out, it is our shim's `init`. */
  readonly initArgs?: readonly string[] | undefined;
  /** Also without `--init`. */
  readonly initByDefault: boolean;
}

/** What one runtime does otherwise than another. */
export interface RuntimeTraits {
  /** As users name it. */
  readonly name: string;
  /** With this kernel it makes mounts read-only with all below them (`rro`). */
  readonly recursiveReadOnly: boolean;
  /** True for crun. Each place that depends on it says why. */
  readonly isCrun: boolean;
}

/** Whose network the process gets. `own`: the shim's, which the runtime inherits; also for `none`. */
export type NetworkPlace =
  | { readonly kind: 'own' }
  | { readonly kind: 'host' }
  | { readonly kind: 'join'; readonly pid: number };

/** Everything that makes one container's configuration. `config` and `hostConfig` are complete: image defaults merged in. */
export interface BundleInput {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** argv, entry point first. */
  readonly command: readonly string[];
  readonly user: ResolvedUser;
  /** Absolute. */
  readonly rootfsPath: string;
  /** Bind and volume mounts with their host paths, and tmpfs ones; those of HostConfig.Tmpfs may be left out. */
  readonly mounts: readonly BundleMount[];
  /** Host files bound over the container's; undefined = leave the image's. */
  readonly files: {
    readonly resolvConf?: string | undefined;
    readonly hostname?: string | undefined;
    readonly hosts?: string | undefined;
  };
  readonly network: NetworkPlace;
  /** A process of the container that --pid or --ipc container:X names. */
  readonly joinPid?: number | undefined;
  readonly joinIpc?: number | undefined;
  /** Host directory bound at /dev/shm; for --ipc shareable and container:X. Undefined = a tmpfs of its own. */
  readonly shmPath?: string | undefined;
  /** Of HostConfig.Devices; when privileged every device of the host. */
  readonly devices: readonly DeviceFact[];
  readonly blockDevices?: readonly BlockDeviceFact[] | undefined;
  /** Further `K=V` between the engine's and the user's (links). */
  readonly linkEnv?: readonly string[] | undefined;
  readonly runtime: RuntimeTraits;
  readonly host: BundleHost;
}
