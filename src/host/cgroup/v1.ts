// Owns cgroups of version 1, alone or beside a version 2 hierarchy (hybrid). Sets no limit: the runtime does.

import { childDirectories, isDirectory, pidsBelow, readNumber, readTable, readText, removeTree } from './tree.ts';
import type { CgroupLayout, Cgroups, CgroupUsage, FreezerState, IoUsage } from './types.ts';

/** Above it the kernel means "no limit". */
const LIMITLESS_BYTES = 2 ** 62;
const FREEZER: Readonly<Record<string, FreezerState>> = { THAWED: 'thawed', FREEZING: 'freezing', FROZEN: 'frozen' };

/** The door on a version 1 or hybrid host. */
export function createCgroupsV1(layout: CgroupLayout): Cgroups {
  const at = (controller: string, path: string, file = ''): string | undefined => {
    const mountPoint = layout.controllers.get(controller);
    return mountPoint === undefined ? undefined : `${mountPoint}${path}${file}`;
  };
  /** Each hierarchy once: controllers may share one. */
  const everywhere = (path: string): string[] => {
    const roots = new Set(layout.controllers.values());
    if (layout.unified !== '') roots.add(layout.unified);
    return [...roots].map((root) => root + path);
  };
  const lead = (path: string): string => everywhere(path)[0] ?? path;
  return {
    layout,
    async exists(path) {
      const found = await Promise.all(everywhere(path).map(isDirectory));
      return found.includes(true);
    },
    pids: (path) => pidsBelow(at('pids', path) ?? at('freezer', path) ?? lead(path)),
    async freezerState(path) {
      const file = at('freezer', path, '/freezer.state');
      const text = file === undefined ? undefined : await readText(file);
      return FREEZER[text?.trim() ?? ''] ?? 'none';
    },
    oomFile: (path) => at('memory', path, '/memory.oom_control'),
    usage: (path) => readUsage((controller, file) => at(controller, path, `/${file}`)),
    async remove(path) {
      for (const directory of everywhere(path)) await removeTree(directory);
    },
    async children(path) {
      const lists = await Promise.all(everywhere(path).map(childDirectories));
      return [...new Set(lists.flat())];
    },
  };
}

type FileOf = (controller: string, file: string) => string | undefined;

async function readUsage(file: FileOf): Promise<CgroupUsage> {
  const number = (controller: string, name: string): Promise<number | undefined> => {
    const path = file(controller, name);
    return path === undefined ? Promise.resolve(undefined) : readNumber(path);
  };
  const table = (controller: string, name: string): Promise<Record<string, number>> => {
    const path = file(controller, name);
    return path === undefined ? Promise.resolve({}) : readTable(path);
  };
  const [memoryBytes, memoryPeakBytes, limit, memoryStat, oom] = await Promise.all([
    number('memory', 'memory.usage_in_bytes'),
    number('memory', 'memory.max_usage_in_bytes'),
    number('memory', 'memory.limit_in_bytes'),
    table('memory', 'memory.stat'),
    table('memory', 'memory.oom_control'),
  ]);
  const [cpuNs, cpuUserNs, cpuSystemNs, cpu, pids, pidsLimit] = await Promise.all([
    number('cpuacct', 'cpuacct.usage'),
    number('cpuacct', 'cpuacct.usage_user'),
    number('cpuacct', 'cpuacct.usage_sys'),
    table('cpu', 'cpu.stat'),
    number('pids', 'pids.current'),
    number('pids', 'pids.max'),
  ]);
  return {
    memoryBytes,
    memoryPeakBytes,
    memoryLimitBytes: limit !== undefined && limit < LIMITLESS_BYTES ? limit : undefined,
    memoryStat,
    oomKills: oom.oom_kill,
    cpuNs,
    cpuUserNs,
    cpuSystemNs,
    throttlePeriods: cpu.nr_periods,
    throttledPeriods: cpu.nr_throttled,
    throttledNs: cpu.throttled_time,
    pids,
    pidsLimit,
    io: await readIo(file),
  };
}

async function readIo(file: FileOf): Promise<IoUsage[]> {
  const read = async (name: string): Promise<string> => {
    const path = file('blkio', name);
    return path === undefined ? '' : ((await readText(path)) ?? '');
  };
  return parseBlkio(await read('blkio.throttle.io_service_bytes'), await read('blkio.throttle.io_serviced'));
}

/** Lines `MAJOR:MINOR Read|Write N` of the two files. */
function parseBlkio(bytes: string, operations: string): IoUsage[] {
  const devices = new Map<string, { -readonly [K in keyof IoUsage]: IoUsage[K] }>();
  const take = (text: string, read: 'readBytes' | 'readOperations', write: 'writeBytes' | 'writeOperations'): void => {
    for (const [, major, minor, kind, value] of text.matchAll(/^(\d+):(\d+) (Read|Write) (\d+)$/gm)) {
      const key = `${major}:${minor}`;
      const empty = { readBytes: 0, writeBytes: 0, readOperations: 0, writeOperations: 0 };
      const device = devices.get(key) ?? { major: Number(major), minor: Number(minor), ...empty };
      device[kind === 'Read' ? read : write] = Number(value);
      devices.set(key, device);
    }
  };
  take(bytes, 'readBytes', 'writeBytes');
  take(operations, 'readOperations', 'writeOperations');
  return [...devices.values()];
}
