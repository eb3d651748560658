// Owns signalling a container's processes without their shim.

import { cgroupPathOf } from '../../runtime/bundle/index.ts';
import type { ContainerRecord } from '../containers/index.ts';
import type { RunsDeps } from './index.ts';

/**
 * Signals `pid` if it is a process of the container. Membership in the container's cgroup proves that the number was not given to
 * another process meanwhile. One that is gone is fine.
 */
export async function signalMember(
  { cgroups, host }: Pick<RunsDeps, 'cgroups' | 'host'>,
  { id, hostConfig }: ContainerRecord,
  pid: number,
  signal: number | NodeJS.Signals,
): Promise<void> {
  const members = await cgroups.pids(cgroupPathOf(hostConfig.CgroupParent, host.cgroupParent, id));
  if (!members.includes(pid)) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
