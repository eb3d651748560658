// Owns the reading of -v, --mount, --tmpfs, --volumes-from and an image's VOLUMEs into one list of mounts. Pure.

import { posix } from 'node:path';
import { tmpfsOptions } from '../../../runtime/bundle/index.ts';
import type { ContainerConfig, HostConfig, Mount } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';
import type { MountRecord } from '../types.ts';
import { parseBindText } from './bind-text.ts';
import { checkMountBody, destinationFault } from './mount-body.ts';

/** A mount before volumes exist: a volume's source is filled in by the caller; without a name it is anonymous. */
export interface MountRequest extends Omit<MountRecord, 'anonymous'> {
  /** Of a volume that has to be made for it. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
}

/**
 * All mounts of a container. The user's come first and win over --volumes-from, those over the image's VOLUMEs.
 * @throws GantryError invalid with Docker's text for malformed or duplicate mounts
 */
export function planMounts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  inherited: readonly MountRecord[],
): readonly MountRequest[] {
  const mounts = new Map<string, MountRequest>();
  const tmpfs = Object.entries(hostConfig.Tmpfs ?? {}).map(([path, options]) => fromTmpfs(path, options));
  const add = (mount: MountRequest, asWritten: string, taken: boolean): void => {
    if (taken || mounts.has(mount.destination)) throw invalid('DUPLICATE_MOUNT', `Duplicate mount point: ${asWritten}`);
    mounts.set(mount.destination, mount);
  };
  for (const text of hostConfig.Binds ?? []) {
    const mount = parseBind(text, hostConfig.VolumeDriver);
    const isTmpfs = tmpfs.some(({ destination }) => destination === mount.destination);
    add(mount, mount.destination, isTmpfs);
  }
  for (const mount of hostConfig.Mounts ?? []) add(fromMount(mount), mount.Target ?? '', false);
  const rest = [...tmpfs, ...inherited, ...imageVolumes(config, hostConfig.VolumeDriver)];
  for (const mount of rest) if (!mounts.has(mount.destination)) mounts.set(mount.destination, mount);
  return [...mounts.values()];
}

/** An image may name them from its root without the slash (`VOLUME data`). */
function imageVolumes({ Volumes }: ContainerConfig, driver: string | undefined): readonly MountRequest[] {
  return Object.keys(Volumes ?? {}).map((path) => {
    const target = `/${path}`;
    const why = destinationFault(target);
    if (why !== undefined) throw invalid('VOLUME_SPEC', `invalid volume specification: '${path}': ${why}`);
    return fromVolume({ Target: target, VolumeOptions: { DriverConfig: { Name: driver } } });
  });
}

/** One of HostConfig.Binds. @throws VOLUME_SPEC, MOUNT_MODE */
export function parseBind(text: string, driver?: string): MountRequest {
  const { mount, mode } = parseBindText(text, driver);
  if (mount.Type === 'volume') {
    // Docker shows a plain named volume's mode as `z`. @source dockerd 28.5 inspect
    return { ...fromVolume(mount), mode: mount.Source ? mode || 'z' : '' };
  }
  const propagation = mount.BindOptions?.Propagation;
  const shown = mode.split(',').filter((flag) => flag !== propagation);
  return { ...fromBind(mount), mode: shown.join(','), createSource: true };
}

/** One of HostConfig.Mounts. */
function fromMount(mount: Mount): MountRequest {
  checkMountBody(mount);
  if (mount.Type === 'bind') return fromBind(mount);
  if (mount.Type === 'volume') return { ...fromVolume(mount), mode: mount.Source ? 'z' : '' };
  const { SizeBytes, Mode, Options } = mount.TmpfsOptions ?? {};
  const options = tmpfsOptions({ sizeBytes: SizeBytes, mode: Mode, options: Options });
  return { ...tmpfsAt(mount.Target ?? '', options), writable: mount.ReadOnly !== true };
}

function fromBind(mount: Mount): MountRequest {
  const { Propagation, CreateMountpoint, NonRecursive, ...readOnly } = mount.BindOptions ?? {};
  const options = [
    ...(NonRecursive ? ['bind-nonrecursive'] : []),
    ...(readOnly.ReadOnlyNonRecursive ? ['readonly-nonrecursive'] : []),
    ...(readOnly.ReadOnlyForceRecursive ? ['readonly-force-recursive'] : []),
  ];
  return {
    type: 'bind',
    source: cleanPath(mount.Source ?? ''),
    destination: cleanPath(mount.Target ?? ''),
    mode: '',
    writable: mount.ReadOnly !== true,
    propagation: Propagation || 'rprivate',
    createSource: CreateMountpoint === true,
    options,
  };
}

function fromVolume({ Source, Target = '', ReadOnly, VolumeOptions }: Mount): MountRequest {
  const { Subpath, NoCopy, Labels, DriverConfig } = VolumeOptions ?? {};
  return {
    type: 'volume',
    name: Source || undefined,
    source: '',
    destination: cleanPath(Target),
    driver: DriverConfig?.Name || 'local',
    mode: '',
    writable: ReadOnly !== true,
    propagation: '',
    copyUp: NoCopy !== true,
    ...(Subpath ? { subpath: Subpath } : {}),
    ...(Labels ? { labels: Labels } : {}),
    ...(DriverConfig?.Options ? { driverOptions: DriverConfig.Options } : {}),
  };
}

/** Words that mount(2) knows, and settings of the file system. Docker takes `bind` and `remount` too, and fails at the start. */
const TMPFS_FLAGS: ReadonlySet<string> = new Set(
  (
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime nodiratime ' +
    'unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime strictatime nostrictatime'
  ).split(' '),
);
const TMPFS_VALUES: ReadonlySet<string> = new Set('size mode uid gid nr_inodes nr_blocks mpol'.split(' '));

function fromTmpfs(path: string, text: string): MountRequest {
  const why = destinationFault(path);
  if (why !== undefined) throw invalid('MOUNT_PATH', why);
  const options = text === '' ? [] : text.split(',');
  for (const option of options) {
    const [name = '', value] = option.split('=', 2);
    if ((value === undefined ? TMPFS_FLAGS : TMPFS_VALUES).has(name)) continue;
    throw invalid('TMPFS_OPTION', `invalid tmpfs option "${name}"`);
  }
  return tmpfsAt(path, options);
}

function tmpfsAt(path: string, options: readonly string[]): MountRequest {
  return {
    type: 'tmpfs',
    source: '',
    destination: cleanPath(path),
    mode: '',
    writable: true,
    propagation: '',
    options,
  };
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}
