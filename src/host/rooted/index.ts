// The face of rooted directory access.

export { MountedRoot, type MountedTree, type Place } from './mounted-root.ts';
export { ParentDirs } from './parents.ts';
export { removeAt } from './remove.ts';
export { fileXattr, linkTarget, openRooted, type Rooted, rootedAt } from './rooted.ts';
export { type RootedStat, statAt, statFd } from './stat.ts';
