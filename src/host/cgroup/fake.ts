// Owns cgroups in memory, for tests of what stands above. Touches no kernel.

import { GantryError } from '../../lib/errors.ts';
import type { CgroupLayout, Cgroups, CgroupUsage, FreezerState } from './types.ts';

/** One cgroup of the fake. */
export interface FakeCgroup {
  readonly pids: readonly number[];
  readonly freezer?: FreezerState | undefined;
  readonly usage?: Partial<CgroupUsage> | undefined;
}

/** A door over `tree` (path → cgroup), which the test may change at any time. */
export function createFakeCgroups(tree: Map<string, FakeCgroup> = new Map()): Cgroups {
  const layout: CgroupLayout = {
    mode: 'v2',
    version: 2,
    controllers: new Map(),
    unified: '/fake-cgroup',
    unifiedControllers: ['cpu', 'io', 'memory', 'pids'],
  };
  const below = (path: string): [string, FakeCgroup][] =>
    [...tree].filter(([name]) => name === path || name.startsWith(`${path}/`));
  return {
    layout,
    exists: async (path) => below(path).length > 0,
    pids: async (path) => below(path).flatMap(([, { pids }]) => pids),
    freezerState: async (path) => {
      const found = tree.get(path);
      return found === undefined ? 'none' : (found.freezer ?? 'thawed');
    },
    oomFile: (path) => `${layout.unified}${path}/memory.events`,
    usage: async (path) => ({ memoryStat: {}, io: [], ...tree.get(path)?.usage }),
    async remove(path) {
      if (below(path).some(([, { pids }]) => pids.length > 0)) {
        throw new GantryError('conflict', 'CGROUP_BUSY', `cannot remove the cgroup ${path}: it still holds processes`);
      }
      for (const [name] of below(path)) tree.delete(name);
    },
    children: async (path) => [
      ...new Set(
        below(path).flatMap(([name]) => {
          const first = name.slice(path.length + 1).split('/')[0];
          return first === undefined || first === '' ? [] : [first];
        }),
      ),
    ],
  };
}
