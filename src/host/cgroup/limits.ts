// Owns telling which limits the kernel of this host can set, and which CPUs and memory nodes it has. Sets none.

import { access } from 'node:fs/promises';
import { cpus } from 'node:os';
import { readText } from './tree.ts';
import type { CgroupLayout } from './types.ts';

/** Limits that version 1 keeps in a file each, which may be missing: controller, file. */
const FILES = {
  memory: ['memory', 'memory.limit_in_bytes'],
  swap: ['memory', 'memory.memsw.limit_in_bytes'],
  memoryReservation: ['memory', 'memory.soft_limit_in_bytes'],
  memorySwappiness: ['memory', 'memory.swappiness'],
  oomKillDisable: ['memory', 'memory.oom_control'],
  kernelMemory: ['memory', 'memory.kmem.limit_in_bytes'],
  pids: ['pids', ''],
  cpuShares: ['cpu', 'cpu.shares'],
  cpuQuota: ['cpu', 'cpu.cfs_quota_us'],
  cpuRealtime: ['cpu', 'cpu.rt_period_us'],
  cpuset: ['cpuset', ''],
  blkioWeight: ['blkio', 'blkio.weight'],
  blkioWeightDevice: ['blkio', 'blkio.weight_device'],
  blkioReadBps: ['blkio', 'blkio.throttle.read_bps_device'],
  blkioWriteBps: ['blkio', 'blkio.throttle.write_bps_device'],
  blkioReadIops: ['blkio', 'blkio.throttle.read_iops_device'],
  blkioWriteIops: ['blkio', 'blkio.throttle.write_iops_device'],
} as const;

/** A limit that some kernels lack. */
export type Limit = keyof typeof FILES;

/** The controller of version 2 that sets each; limits that are not listed do not exist there. */
const CONTROLLERS_V2: Readonly<Partial<Record<Limit, string>>> = {
  memory: 'memory',
  swap: 'memory',
  memoryReservation: 'memory',
  pids: 'pids',
  cpuShares: 'cpu',
  cpuQuota: 'cpu',
  cpuset: 'cpuset',
  blkioWeight: 'io',
  blkioWeightDevice: 'io',
  blkioReadBps: 'io',
  blkioWriteBps: 'io',
  blkioReadIops: 'io',
  blkioWriteIops: 'io',
};

/** What this host can limit. `cpus` and `memoryNodes` are lists such as `0-3,8`. */
export interface LimitSupport {
  readonly limits: ReadonlySet<Limit>;
  readonly cgroupNamespaces: boolean;
  readonly cpus: string;
  readonly memoryNodes: string;
}

/** Looks at the host once; nothing of it changes while the engine runs. @source cgroups(7), kernel admin-guide/cgroup-v1 and -v2 */
export async function readLimitSupport(layout: CgroupLayout): Promise<LimitSupport> {
  const names = Object.keys(FILES) as Limit[];
  const found = await Promise.all(names.map((name) => isSupported(layout, name)));
  const cpuset = layout.version === 2 ? layout.unified : (layout.controllers.get('cpuset') ?? '');
  const suffix = layout.version === 2 ? '.effective' : '';
  const list = async (file: string): Promise<string> => (await readText(`${cpuset}/${file}${suffix}`))?.trim() ?? '';
  const count = cpus().length;
  return {
    limits: new Set(names.filter((_, index) => found[index])),
    cgroupNamespaces: await exists('/proc/self/ns/cgroup'),
    cpus: (await list('cpuset.cpus')) || (count === 1 ? '0' : `0-${count - 1}`),
    memoryNodes: (await list('cpuset.mems')) || '0',
  };
}

async function isSupported(layout: CgroupLayout, limit: Limit): Promise<boolean> {
  if (layout.version === 2) return layout.unifiedControllers.includes(CONTROLLERS_V2[limit] ?? '');
  const [controller, file] = FILES[limit];
  const mountPoint = layout.controllers.get(controller);
  return mountPoint !== undefined && (await exists(`${mountPoint}/${file}`));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
