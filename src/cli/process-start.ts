// Owns when this process began, as whoever started it sees it: before the shell script in front of Node, and before Node itself.

import { readFileSync } from 'node:fs';

/** Kernel ticks a second, in /proc. @source proc(5): USER_HZ is 100 on all architectures that Node runs on */
const MS_PER_TICK = 10;
/** Of the fields behind the program's name in /proc/self/stat. */
const START_FIELD = 19;

/** Unix milliseconds, at most a tick too early. */
export function processStartMs(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD]);
    const uptimeMs = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000;
    const startMs = Date.now() - (uptimeMs - ticks * MS_PER_TICK) - MS_PER_TICK;
    if (startMs < Date.now()) return startMs;
  } catch {
    // No /proc: Node's own beginning has to do.
  }
  return performance.timeOrigin;
}
