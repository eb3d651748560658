// Owns what the machine itself must offer before anything is installed: Linux, root, overlayfs. Changes nothing.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { done, SetupFailure } from './step.mjs';

/** The nearest existing folder at or above `path`: the file system on which `path` will lie. */
function standing(path) {
  return existsSync(path) ? path : standing(dirname(path));
}

const OVERLAY_TRY =
  'mount -t overlay overlay -o lowerdir="$1/l",upperdir="$1/u",workdir="$1/w" "$1/m" && test -e "$1/m/seen"';

/** Mounts an overlay in a mount namespace of its own, so that the try cannot leak. Answers '' or the kernel's complaint. */
function tryOverlay(folder) {
  const root = mkdtempSync(join(folder, '.gantry-try-'));
  try {
    const script = `cd "$1" && mkdir l u w m && : > l/seen && ${OVERLAY_TRY}`;
    const tried = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', root], { encoding: 'utf8' });
    return tried.status === 0 ? '' : (tried.error?.message ?? tried.stderr).trim() || 'it failed without a word';
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** @throws SetupFailure naming what this machine lacks: Linux, root, or overlayfs where the engine keeps its data. */
export function checkMachine(dataRoot) {
  if (process.platform !== 'linux') {
    throw new SetupFailure(
      `Containers need a Linux kernel, this is ${process.platform}.`,
      'Run it on Linux or in a virtual machine.',
    );
  }
  if (process.getuid() !== 0) {
    throw new SetupFailure(
      'Not root: containers need mounts, namespaces and firewall rules.',
      'Run it again with sudo or as root.',
    );
  }
  const folder = standing(dataRoot);
  const complaint = tryOverlay(folder);
  if (complaint) {
    throw new SetupFailure(
      `No overlayfs on the file system of ${folder}: ${complaint.split('\n')[0]}`,
      'Load the kernel module (modprobe overlay), or choose a data root on ext4 or xfs: an overlay, NFS or FAT cannot hold one.',
    );
  }
  done('Linux, root, overlayfs', `tried on ${folder}`);
}
