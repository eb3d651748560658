// Owns making the kernel ready for a process to be moved between cgroups. Moves nothing.
//
// Writing to cgroup.procs takes a lock that all forks and exits of the machine share in a cheap mode. The first writer after a
// pause waits for an RCU grace period to leave that mode: 7 to 17 ms here (kernel 6.18), against 0.03 ms for those that follow at
// once. A runtime moves its process so at every start and exec. Asked for a few milliseconds ahead, the wait overlaps with
// what must be done anyway. @source kernel/locking/percpu-rwsem.c, kernel/rcu/sync.c

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { CgroupLayout } from './types.ts';

/** Starts the wait in the background; cheap to call often. */
export type MakeReady = () => void;

/** The mode lasts about one grace period: asking again within this time gains nothing. */
const LASTS_MS = 5;

export function createReadiness(
  layout: CgroupLayout,
  ownCgroups = readFileSync('/proc/self/cgroup', 'utf8'),
): MakeReady {
  const file = ownProcsFile(layout, ownCgroups);
  if (file === undefined) return () => undefined;
  let pending = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (pending || nowMs - lastMs < LASTS_MS) return;
    pending = true;
    // To the cgroup that this process is in already: nothing moves.
    writeFile(file, String(process.pid))
      .catch(() => undefined)
      .finally(() => {
        pending = false;
        lastMs = performance.now();
      });
  };
}

/** cgroup.procs of the cgroup that this process is in, in the hierarchy that is cheapest to name. @source cgroups(7) */
export function ownProcsFile({ version, controllers, unified }: CgroupLayout, ownCgroups: string): string | undefined {
  const lines = ownCgroups.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  for (const match of lines) {
    const [, names = '', path = ''] = match ?? [];
    const root = version === 2 && names === '' ? unified : controllers.get(names);
    if (match && root) return `${root}${path === '/' ? '' : path}/cgroup.procs`;
  }
  return undefined;
}
