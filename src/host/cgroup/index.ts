// The door to the kernel's cgroups, whichever version the host has.

import { readFile } from 'node:fs/promises';
import { parseLayout } from './layout.ts';
import { readText } from './tree.ts';
import type { CgroupLayout, Cgroups } from './types.ts';
import { createCgroupsV1 } from './v1.ts';
import { createCgroupsV2 } from './v2.ts';

export { createFakeCgroups } from './fake.ts';
export { parseLayout } from './layout.ts';
export { type Limit, type LimitSupport, readLimitSupport } from './limits.ts';
export { createReadiness, type MakeReady } from './readiness.ts';
export type { CgroupLayout, Cgroups } from './types.ts';

/** How cgroups are mounted here and now. */
export async function detectCgroupLayout(): Promise<CgroupLayout> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const first = parseLayout(mountinfo, '');
  if (first.unified === '') return first;
  return parseLayout(mountinfo, (await readText(`${first.unified}/cgroup.controllers`)) ?? '');
}

/** The door that fits the layout. */
export function createCgroups(layout: CgroupLayout): Cgroups {
  return layout.version === 2 ? createCgroupsV2(layout) : createCgroupsV1(layout);
}
