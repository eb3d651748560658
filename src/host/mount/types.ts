// Owns the shapes of the mount door. No behaviour.

/** The folders of an overlay file system. */
export interface OverlayRequest {
  /** Lower folders, topmost first; relative ones are seen from `from`, which keeps the kernel's one page of options small. */
  readonly lower: readonly string[];
  readonly from: string;
  /** Absolute; absent: nothing can be written. */
  readonly writable?: { readonly upper: string; readonly work: string } | undefined;
}

/** A mounted file system that lies at no path: reached by its descriptor, gone when that is closed, also by the death of this process. */
export interface DetachedMount extends AsyncDisposable {
  /** Its root, for *at calls and `/proc/self/fd/<fd>`. */
  readonly fd: number;
}

/** The door to the kernel's mounts. */
export interface Mounts extends AsyncDisposable {
  /** @throws SystemError in the kernel's words; TOO_MANY_LAYERS; MOUNT_TIMEOUT */
  overlay(request: OverlayRequest): Promise<DetachedMount>;
  /** A memory file system at `path`, a folder: mode 1777, no devices, no programs, no setuid. @throws SystemError */
  memory(path: string, sizeBytes: number): void;
  /** Takes away what is mounted at `path`, lazily; nothing there is fine. @throws SystemError */
  detach(path: string): void;
}
