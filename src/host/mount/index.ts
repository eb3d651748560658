// The door to the kernel's mounts.

export { linuxMounts } from './linux.ts';
export { overlayOptions } from './overlay.ts';
export type { DetachedMount, Mounts } from './types.ts';
