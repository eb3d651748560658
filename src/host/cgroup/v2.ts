// Owns cgroups of version 2. Sets no limit: the runtime does.

import { childDirectories, isDirectory, pidsBelow, readNumber, readTable, readText, removeTree } from './tree.ts';
import type { CgroupLayout, Cgroups, CgroupUsage, IoUsage } from './types.ts';

const NS_PER_US = 1000;

/** The door on a version 2 host. */
export function createCgroupsV2(layout: CgroupLayout): Cgroups {
  const at = (path: string): string => layout.unified + path;
  return {
    layout,
    exists: (path) => isDirectory(at(path)),
    pids: (path) => pidsBelow(at(path)),
    async freezerState(path) {
      const asked = await readNumber(`${at(path)}/cgroup.freeze`);
      if (asked === undefined) return 'none';
      if (asked === 0) return 'thawed';
      const { frozen } = await readTable(`${at(path)}/cgroup.events`);
      return frozen === 1 ? 'frozen' : 'freezing';
    },
    oomFile: (path) => (layout.unifiedControllers.includes('memory') ? `${at(path)}/memory.events` : undefined),
    usage: (path) => readUsage(at(path)),
    remove: (path) => removeTree(at(path)),
    children: (path) => childDirectories(at(path)),
  };
}

async function readUsage(directory: string): Promise<CgroupUsage> {
  const file = (name: string): string => `${directory}/${name}`;
  const [memoryBytes, memoryPeakBytes, memoryLimitBytes, memoryStat, events, cpu, pids, pidsLimit, io] =
    await Promise.all([
      readNumber(file('memory.current')),
      readNumber(file('memory.peak')),
      readNumber(file('memory.max')),
      readTable(file('memory.stat')),
      readTable(file('memory.events')),
      readTable(file('cpu.stat')),
      readNumber(file('pids.current')),
      readNumber(file('pids.max')),
      readText(file('io.stat')),
    ]);
  const ns = (us: number | undefined): number | undefined => (us === undefined ? undefined : us * NS_PER_US);
  return {
    memoryBytes,
    memoryPeakBytes,
    memoryLimitBytes,
    memoryStat,
    oomKills: events.oom_kill,
    cpuNs: ns(cpu.usage_usec),
    cpuUserNs: ns(cpu.user_usec),
    cpuSystemNs: ns(cpu.system_usec),
    throttlePeriods: cpu.nr_periods,
    throttledPeriods: cpu.nr_throttled,
    throttledNs: ns(cpu.throttled_usec),
    pids,
    pidsLimit,
    io: parseIoStat(io ?? ''),
  };
}

/** Lines `MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N …`. */
function parseIoStat(text: string): IoUsage[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (match === null) return [];
    const value = (key: string): number => Number(new RegExp(`\\b${key}=(\\d+)`).exec(match[3] ?? '')?.[1] ?? 0);
    return [
      {
        major: Number(match[1]),
        minor: Number(match[2]),
        readBytes: value('rbytes'),
        writeBytes: value('wbytes'),
        readOperations: value('rios'),
        writeOperations: value('wios'),
      },
    ];
  });
}
