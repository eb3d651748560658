// Owns whether one entry of HostConfig.Mounts makes sense, in Docker's words. Pure; looks at no path of the host.
// @source dockerd 28.5 for all texts and their order

import { posix } from 'node:path';
import { goQuote } from '../../../lib/go-quote.ts';
import type { Mount } from '../../../spec/docker/types.gen.ts';
import { invalid, notYet } from '../errors.ts';

export const PROPAGATIONS: ReadonlySet<string> = new Set([
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
]);

/** The options of a type stand at no other type, not even empty. */
const OPTIONS_OF = [
  ['BindOptions', 'bind'],
  ['VolumeOptions', 'volume'],
  ['TmpfsOptions', 'tmpfs'],
] as const;

/** @throws GantryError invalid; MOUNT_TYPE for what this engine cannot mount yet */
export function checkMountBody(mount: Mount): void {
  const type = mount.Type ?? '';
  for (const [field, owner] of OPTIONS_OF) {
    if (mount[field] !== undefined && type !== owner)
      throw invalid('MOUNT_OPTIONS', `${field} must not be specified on mount type "${type}"`);
  }
  const why = faultOf(mount, type);
  if (why !== undefined) throw invalid('MOUNT_CONFIG', `invalid mount config for type "${type}": ${why}`);
  if (type === 'image') throw notYet('MOUNT_TYPE', 'mounts of type image');
  checkReadOnly(mount);
}

/** What is wrong with a mount, for the end of a sentence; undefined when nothing is. */
export function faultOf(mount: Mount, type: string): string | undefined {
  const target = targetFault(mount.Target ?? '');
  if (target !== undefined) return target;
  const fault = FAULTS.get(type);
  return fault === undefined ? 'mount type unknown' : fault(mount);
}

function targetFault(target: string): string | undefined {
  return target === '' ? missing('Target') : destinationFault(target);
}

/** What is wrong with a place in a container to mount at; undefined when nothing is. */
export function destinationFault(path: string): string | undefined {
  if (posix.normalize(path) === '/') return "invalid specification: destination can't be '/'";
  return pathFault(path);
}

const missing = (field: string) => `field ${field} must not be empty`;
const extra = (field: string) => `field ${field} must not be specified`;

/** NUL would end the path early in the kernel's eyes. */
function pathFault(path: string): string | undefined {
  if (path.includes('\0')) return `invalid mount path: ${goQuote(path)} contains a NUL byte`;
  return posix.isAbsolute(path) ? undefined : `invalid mount path: '${path}' mount path must be absolute`;
}

function bindFault({ Source = '', BindOptions, VolumeOptions, ImageOptions }: Mount): string | undefined {
  if (Source === '') return missing('Source');
  const propagation = BindOptions?.Propagation ?? '';
  if (propagation !== '' && !PROPAGATIONS.has(propagation)) return `invalid propagation mode: ${propagation}`;
  if (VolumeOptions !== undefined) return extra('VolumeOptions');
  return ImageOptions === undefined ? pathFault(Source) : extra('ImageOptions');
}

function volumeFault({ Source = '', ReadOnly, BindOptions, VolumeOptions, ImageOptions }: Mount): string | undefined {
  if (BindOptions !== undefined) return extra('BindOptions');
  if (ImageOptions !== undefined) return extra('ImageOptions');
  const subpath = VolumeOptions?.Subpath ?? '';
  if (subpath !== '' && Source === '') return 'must not set Subpath when using anonymous volumes';
  if (!isLocal(subpath)) return 'subpath must be a relative path within the volume';
  if (ReadOnly && Source === '') return 'must not set ReadOnly mode when using anonymous volumes';
  return undefined;
}

function tmpfsFault({ Source = '', ImageOptions, TmpfsOptions }: Mount): string | undefined {
  if (ImageOptions !== undefined) return extra('ImageOptions');
  if (Source !== '') return extra('Source');
  for (const option of TmpfsOptions?.Options ?? []) {
    if (option.length < 1 || option.length > 2) return 'invalid option array length';
    if (option[0] !== 'exec' && option[0] !== 'noexec') return `invalid option: ${option[0]}`;
  }
  return undefined;
}

function imageFault({ Source = '', ImageOptions }: Mount): string | undefined {
  if (Source === '') return missing('Source');
  return isLocal(ImageOptions?.Subpath ?? '') ? undefined : 'subpath must be a relative path within the volume';
}

const FAULTS: ReadonlyMap<string, (mount: Mount) => string | undefined> = new Map([
  ['bind', bindFault],
  ['volume', volumeFault],
  ['tmpfs', tmpfsFault],
  ['image', imageFault],
]);

/** A relative path that leads out of its folder by no `..` of its own. @source Go filepath.IsLocal */
function isLocal(path: string): boolean {
  return !posix.isAbsolute(path) && !path.includes('\0') && !/^\.\.(?:\/|$)/.test(posix.normalize(path));
}

/** Docker finds these out at the start. */
function checkReadOnly({ ReadOnly, BindOptions }: Mount): void {
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive } = BindOptions ?? {};
  const conflict = (what: string) => invalid('MOUNT_OPTIONS', `mount options conflict: ${what}`);
  if (!ReadOnly && ReadOnlyNonRecursive) throw conflict('!ReadOnly && BindOptions.ReadOnlyNonRecursive');
  if (!ReadOnly && ReadOnlyForceRecursive) throw conflict('!ReadOnly && BindOptions.ReadOnlyForceRecursive');
  if (ReadOnlyNonRecursive && ReadOnlyForceRecursive)
    throw conflict('ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive');
}
