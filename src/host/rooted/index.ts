// The face of rooted directory access.

export { ParentDirs } from './parents.ts';
export { openRooted, type Rooted, rootedAt, type WalkEntry } from './rooted.ts';
export { type RootedStat, statAt, statFd } from './stat.ts';
