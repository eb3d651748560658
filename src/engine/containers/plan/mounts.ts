// Owns the reading of -v, --mount, --tmpfs, --volumes-from and an image's VOLUMEs into one list of mounts. Pure.

import { posix } from 'node:path';
import type { ContainerConfig, HostConfig, Mount } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';
import type { MountRecord } from '../types.ts';

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const MODES = new Set(['ro', 'rw', 'z', 'Z', 'nocopy', 'consistent', 'cached', 'delegated']);
const PROPAGATIONS = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']);

/** A mount before volumes exist: a volume's source is filled in by the caller; without a name it is anonymous. */
export type MountWish = Omit<MountRecord, 'anonymous'>;

/**
 * All mounts of a container. The user's come first and win over --volumes-from, those over the image's VOLUMEs.
 * @throws GantryError invalid with Docker's text for malformed or duplicate mounts
 */
export function planMounts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  inherited: readonly MountRecord[],
): readonly MountWish[] {
  const mounts = new Map<string, MountWish>();
  const add = (mount: MountWish): void => {
    if (mounts.has(mount.destination)) throw invalid('DUPLICATE_MOUNT', `Duplicate mount point: ${mount.destination}`);
    mounts.set(mount.destination, mount);
  };
  for (const bind of hostConfig.Binds ?? []) add(parseBind(bind, hostConfig.VolumeDriver));
  for (const mount of hostConfig.Mounts ?? []) add(fromMount(mount));
  for (const [path, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfs(path, options));
  for (const mount of inherited) if (!mounts.has(mount.destination)) mounts.set(mount.destination, mount);
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = cleanDestination(path, path);
    if (!mounts.has(destination)) mounts.set(destination, volume(undefined, destination, hostConfig.VolumeDriver));
  }
  return [...mounts.values()];
}

/** `src:dst[:options]`, `name:dst[:options]` or `dst`. */
export function parseBind(text: string, driver?: string): MountWish {
  const parts = text.split(':');
  const [first = '', second, options = ''] = parts;
  if (parts.length > 3 || first === '' || second === '')
    throw invalid('VOLUME_SPEC', `invalid volume specification: '${text}'`);
  if (second === undefined) return volume(undefined, cleanDestination(first, text), driver);
  const flags = options === '' ? [] : options.split(',');
  checkFlags(flags, options);
  const destination = cleanDestination(second, text);
  const writable = !flags.includes('ro');
  const propagation = flags.find((flag) => PROPAGATIONS.has(flag));
  if (posix.isAbsolute(first)) {
    const mode = flags.filter((flag) => !PROPAGATIONS.has(flag)).join(',');
    return {
      type: 'bind',
      source: cleanPath(first),
      destination,
      mode,
      writable,
      propagation: propagation ?? 'rprivate',
      createSource: true,
    };
  }
  checkVolumeName(first);
  // Docker shows a plain named volume's mode as `z`. @source dockerd 28.5 inspect
  return { ...volume(first, destination, driver), mode: options || 'z', writable, copyUp: !flags.includes('nocopy') };
}

function checkFlags(flags: readonly string[], options: string): void {
  const known = flags.every((flag) => MODES.has(flag) || PROPAGATIONS.has(flag));
  const bothWays = flags.includes('ro') && flags.includes('rw');
  if (!known || bothWays || new Set(flags).size !== flags.length)
    throw invalid('MOUNT_MODE', `invalid mode: ${options}`);
}

function checkVolumeName(name: string): void {
  if (VOLUME_NAME.test(name)) return;
  throw invalid(
    'INVALID_VOLUME_NAME',
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

function fromMount(mount: Mount): MountWish {
  const type = mount.Type ?? 'bind';
  const target = mount.Target ?? '';
  const fail = (why: string) => invalid('MOUNT_CONFIG', `invalid mount config for type "${type}": ${why}`);
  if (target === '') throw fail('field Target must not be empty');
  if (!posix.isAbsolute(target)) throw fail(`invalid mount path: '${target}' mount path must be absolute`);
  const destination = cleanPath(target);
  if (destination === '/') throw fail("invalid specification: destination can't be '/'");
  const writable = mount.ReadOnly !== true;
  switch (type) {
    case 'bind':
      return bindMount(mount, destination, writable, fail);
    case 'volume':
      return volumeMount(mount, destination, writable);
    case 'tmpfs':
      if (mount.Source) throw fail('field Source must not be specified');
      return { ...tmpfs(destination, tmpfsOptions(mount)), writable };
    default:
      throw fail(
        type === 'image' || type === 'cluster' || type === 'npipe'
          ? `mount type ${type} is not supported by this engine`
          : 'mount type unknown',
      );
  }
}

function bindMount(mount: Mount, destination: string, writable: boolean, fail: (why: string) => Error): MountWish {
  const source = mount.Source ?? '';
  if (source === '') throw fail('field Source must not be empty');
  if (!posix.isAbsolute(source)) throw fail(`invalid mount path: '${source}' mount path must be absolute`);
  const { NonRecursive, ReadOnlyNonRecursive, ReadOnlyForceRecursive } = mount.BindOptions ?? {};
  const options = [
    ...(NonRecursive ? ['bind-nonrecursive'] : []),
    ...(ReadOnlyNonRecursive ? ['readonly-nonrecursive'] : []),
    ...(ReadOnlyForceRecursive ? ['readonly-force-recursive'] : []),
  ];
  return {
    type: 'bind',
    source: cleanPath(source),
    destination,
    mode: '',
    writable,
    propagation: mount.BindOptions?.Propagation || 'rprivate',
    createSource: mount.BindOptions?.CreateMountpoint === true,
    options,
  };
}

function volumeMount(mount: Mount, destination: string, writable: boolean): MountWish {
  const name = mount.Source || undefined;
  if (name !== undefined) checkVolumeName(name);
  const driver = mount.VolumeOptions?.DriverConfig?.Name;
  return {
    ...volume(name, destination, driver),
    mode: name ? 'z' : '',
    writable,
    copyUp: mount.VolumeOptions?.NoCopy !== true,
  };
}

function volume(name: string | undefined, destination: string, driver: string | undefined): MountWish {
  return {
    type: 'volume',
    name,
    source: '',
    destination,
    driver: driver || 'local',
    mode: '',
    writable: true,
    propagation: '',
    copyUp: true,
  };
}

function tmpfs(path: string, options: string): MountWish {
  if (!posix.isAbsolute(path)) {
    throw invalid('MOUNT_PATH', `invalid mount path: '${path}' mount path must be absolute`);
  }
  return {
    type: 'tmpfs',
    source: '',
    destination: cleanPath(path),
    mode: '',
    writable: true,
    propagation: '',
    options: options === '' ? [] : options.split(','),
  };
}

function tmpfsOptions(mount: Mount): string {
  const options: string[] = [];
  if (mount.TmpfsOptions?.SizeBytes) options.push(`size=${mount.TmpfsOptions.SizeBytes}`);
  if (mount.TmpfsOptions?.Mode !== undefined) options.push(`mode=${mount.TmpfsOptions.Mode.toString(8)}`);
  return options.join(',');
}

function cleanDestination(path: string, text: string): string {
  const why = (reason: string) =>
    invalid('VOLUME_SPEC', `invalid volume specification: '${text}': invalid mount config for type "bind": ${reason}`);
  if (!posix.isAbsolute(path)) throw why(`invalid mount path: '${path}' mount path must be absolute`);
  const clean = cleanPath(path);
  if (clean === '/') throw why("invalid specification: destination can't be '/'");
  return clean;
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}
