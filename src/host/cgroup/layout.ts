// Owns telling from a mount table how cgroups are mounted. Pure.

import { unescapeOctal } from '../mount-table.ts';
import type { CgroupLayout, CgroupMode } from './types.ts';

/** Options of a version 1 mount that name no controller. */
const OTHER_OPTIONS = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'all', 'none']);

interface CgroupMount {
  readonly type: 'cgroup' | 'cgroup2';
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/**
 * The layout that /proc/self/mountinfo shows; `unifiedControllers` is the text of cgroup.controllers of the version 2
 * hierarchy ('' when there is none).
 * @source proc_pid_mountinfo(5), cgroups(7)
 */
export function parseLayout(mountinfo: string, unifiedControllers: string): CgroupLayout {
  const mounts = mountinfo.split('\n').flatMap(parseMount);
  const unified = mounts.findLast(({ type }) => type === 'cgroup2')?.mountPoint ?? '';
  const controllers = new Map<string, string>();
  for (const { type, mountPoint, options } of mounts) {
    if (type !== 'cgroup') continue;
    for (const option of options) if (!OTHER_OPTIONS.has(option)) controllers.set(option, mountPoint);
  }
  const onVersion1 = [...controllers.keys()].some((name) => !name.startsWith('name='));
  const mode: CgroupMode = !onVersion1 && unified !== '' ? 'v2' : unified === '' ? 'v1' : 'hybrid';
  return {
    mode,
    version: mode === 'v2' ? 2 : 1,
    controllers: mode === 'v2' ? new Map() : controllers,
    unified,
    unifiedControllers: unifiedControllers.split(/\s+/).filter(Boolean),
  };
}

function parseMount(line: string): CgroupMount[] {
  const [before = '', after = ''] = line.split(' - ');
  const mountPoint = before.split(' ')[4];
  const [type, , superOptions = ''] = after.split(' ');
  if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
  return [{ type, mountPoint: unescapeOctal(mountPoint), options: superOptions.split(',') }];
}
