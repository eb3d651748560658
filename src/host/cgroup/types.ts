// Owns the shapes of the cgroup door. No behaviour.

/** `hybrid`: controllers on version 1, with a version 2 hierarchy mounted beside them. */
export type CgroupMode = 'v1' | 'hybrid' | 'v2';

/** How cgroups are mounted on this host. Paths are absolute mount points. */
export interface CgroupLayout {
  readonly mode: CgroupMode;
  /** The version whose files limit containers. */
  readonly version: 1 | 2;
  /** Version 1: controller (`memory`, `name=systemd`) → mount point. */
  readonly controllers: ReadonlyMap<string, string>;
  /** The version 2 hierarchy, '' when there is none. */
  readonly unified: string;
  /** Controllers that version 2 offers. */
  readonly unifiedControllers: readonly string[];
}

export type FreezerState = 'thawed' | 'freezing' | 'frozen' | 'none';

/** Numbers of one cgroup; undefined where its controller is missing or sets no limit. Bytes and nanoseconds. */
export interface CgroupUsage {
  readonly memoryBytes?: number | undefined;
  readonly memoryPeakBytes?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  /** memory.stat as it is. */
  readonly memoryStat: Readonly<Record<string, number>>;
  readonly cpuNs?: number | undefined;
  readonly cpuUserNs?: number | undefined;
  readonly cpuSystemNs?: number | undefined;
  readonly throttledPeriods?: number | undefined;
  readonly throttlePeriods?: number | undefined;
  readonly throttledNs?: number | undefined;
  readonly pids?: number | undefined;
  readonly pidsLimit?: number | undefined;
  readonly oomKills?: number | undefined;
  readonly io: readonly IoUsage[];
}

/** Transfers of one block device. */
export interface IoUsage {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOperations: number;
  readonly writeOperations: number;
}

/** The door to the kernel's cgroups. `path` is absolute from the root of each hierarchy: `/gantry/<id>`. */
export interface Cgroups {
  readonly layout: CgroupLayout;
  exists(path: string): Promise<boolean>;
  /** Every process in the cgroup and below it; [] when it is gone. */
  pids(path: string): Promise<number[]>;
  /** `none` when the cgroup is gone or cannot freeze. */
  freezerState(path: string): Promise<FreezerState>;
  /** The file with a line `oom_kill N`; undefined without a memory controller. */
  oomFile(path: string): string | undefined;
  usage(path: string): Promise<CgroupUsage>;
  /** Removes the cgroup and all below it, in every hierarchy. A missing one is fine. @throws CGROUP_BUSY when processes stay */
  remove(path: string): Promise<void>;
  /** Names of the cgroups directly below. */
  children(path: string): Promise<string[]>;
}
