// Owns reading memory of processes from /proc. Linux only.

import { readdirSync, readFileSync } from 'node:fs';

/** kB of a field of /proc/<pid>/<file>; 0 when the process is gone. */
function field(pid: number, file: string, name: string): number {
  try {
    const match = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    return Number(match?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Resident memory, MiB. */
export const rssMib = (pid: number): number => field(pid, 'status', 'VmRSS') / 1024;

/** Proportional memory, MiB: shared pages are divided among those who share them. */
export const pssMib = (pid: number): number => field(pid, 'smaps_rollup', 'Pss') / 1024;

/** Processes whose command line matches. */
export function pidsOf(pattern: RegExp): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        return false;
      }
    });
}
