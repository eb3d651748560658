// Owns a container's root file system: an image's layers, what the engine puts over every image, and the container's own layer. A
// shim mounts it for a process by `steps`; this process reaches it without a process by `open`.

import type { DetachedMount, Mounts } from '../../host/mount/index.ts';
import { overlayOptions } from '../../host/mount/index.ts';
import type { Step } from '../../runtime/link/index.ts';

/** What a root is made of. Folders of layers are relative to `layersDir`, topmost first. */
interface RootParts {
  readonly layersDir: string;
  readonly lowerDirs: readonly string[];
  /** The container's own layer; absolute. */
  readonly upper: string;
  readonly work: string;
}

export interface Rootfs {
  /** What a shim does to mount the root at `target`; it stands in `layersDir` afterwards. */
  steps(parts: RootParts, target: string): readonly Step[];
  /**
   * The root without a process. Nobody may have it mounted for writing meanwhile; reading beside a writer sees changes late or not at all.
   * @throws SystemError in the kernel's words, TOO_MANY_LAYERS, MOUNT_TIMEOUT
   */
  open(parts: RootParts, access: 'read' | 'write'): Promise<DetachedMount>;
}

export interface RootfsDeps {
  readonly mounts: Mounts;
  /** Layer put over every image, absolute: mount points and /.dockerenv. */
  readonly initLayer: string;
}

export function createRootfs({ mounts, initLayer }: RootfsDeps): Rootfs {
  return {
    steps({ layersDir, lowerDirs, upper, work }, target) {
      const data = overlayOptions({ lower: [initLayer, ...lowerDirs], writable: { upper, work } });
      return [
        { verb: 'mkdir', path: target, mode: 0o755 },
        // Layers are named relative to it, for the kernel takes one page of options.
        { verb: 'chdir', path: layersDir },
        { verb: 'mount', type: 'overlay', source: 'overlay', target, flags: 0, data },
      ];
    },
    open({ layersDir, lowerDirs, upper, work }, access) {
      const below = [initLayer, ...lowerDirs];
      return access === 'write'
        ? mounts.overlay({ from: layersDir, lower: below, writable: { upper, work } })
        : mounts.overlay({ from: layersDir, lower: [upper, ...below] });
    },
  };
}
