// Owns the mount sources that a shim makes ready in its namespace, for the runtime to mount from there: parts of volumes, which
// must not lead out of them, and sources that stay in touch with the host's mounts. All others the runtime finds by itself.

import { join } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import type { Step } from '../../runtime/link/index.ts';
import type { MountRecord } from '../containers/types.ts';

/** Steps before and after the shim leaves the host's mount namespace. */
export interface MountSteps {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

/** `dir` is the run directory. */
export function mountSteps(dir: string, mounts: readonly MountRecord[]): MountSteps {
  const before: Step[] = [];
  const after: Step[] = [];
  for (const [index, mount] of mounts.entries()) {
    const target = sourcePath(dir, index);
    if (isTwoWay(mount)) {
      before.push({ verb: 'hold', path: mount.source });
      after.push({ verb: 'put', path: target });
    } else if (mount.subpath !== undefined) {
      after.push({ verb: 'bind', root: mount.source, path: mount.subpath, target });
    }
  }
  return { before, after };
}

/** Where the runtime finds the source of the mount at `index`. */
export function runtimeSource(dir: string, mount: MountRecord, index: number): string {
  return isTwoWay(mount) || mount.subpath !== undefined ? sourcePath(dir, index) : mount.source;
}

/** Mounts made in the container shall show up on the host, which the shim's namespace by itself does not let through. */
function isTwoWay({ type, propagation }: MountRecord): boolean {
  return type === 'bind' && propagation.endsWith('shared');
}

function sourcePath(dir: string, index: number): string {
  return join(dir, `source-${index}`);
}

/** Docker's words for a part of a volume that is not there; anything else stays as it is. @source dockerd 28.5 */
export function subpathFailure(error: unknown, mounts: readonly MountRecord[]): unknown {
  if (!(error instanceof GantryError) || error.params.stage !== 'step:bind') return error;
  const text = String(error.params.text ?? '');
  const mount = mounts.find(({ subpath }) => subpath !== undefined && text.startsWith(`${subpath}: `));
  if (mount?.subpath === undefined) return error;
  const path = join(mount.source, mount.subpath);
  const why = text.slice(mount.subpath.length + 2);
  const reason = why.slice(0, 1).toLowerCase() + why.slice(1);
  return new GantryError('notFound', 'VOLUME_SUBPATH', `cannot access path ${path}: lstat ${path}: ${reason}`, {
    cause: error,
  });
}
