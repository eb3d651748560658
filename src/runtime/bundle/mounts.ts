// Owns the mount list of a container: the kernel's file systems, the user's mounts, the engine's files. Pure.

import { basename } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import type { BundleInput, BundleMount, RuntimeTraits } from './input.ts';
import type { OciMount } from './oci.ts';

const CGROUPS = '/sys/fs/cgroup';
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;
const INIT_PATH = '/sbin/docker-init';

/** Mounts in Docker's order: kernel file systems, then the rest with parents before children. */
export function buildMounts(
  input: BundleInput,
  options: { readonly init: boolean; readonly writableCgroups: boolean | undefined },
): OciMount[] {
  const user = [...userMounts(input), ...engineFiles(input)];
  const taken = new Set(user.map(({ destination }) => destination));
  const covered = ['/dev', CGROUPS].filter((folder) => taken.has(folder));
  const kernel = kernelMounts(input, options.writableCgroups).filter(
    ({ destination }) => !taken.has(destination) && !covered.some((folder) => destination.startsWith(`${folder}/`)),
  );
  const init = options.init ? [initMount(input)] : [];
  return [...kernel, ...init, ...user.toSorted((a, b) => depth(a) - depth(b))];
}

function depth({ destination }: OciMount): number {
  return destination.split('/').filter(Boolean).length;
}

function kernelMounts(input: BundleInput, writableCgroups: boolean | undefined): OciMount[] {
  const privileged = input.hostConfig.Privileged === true;
  const quiet = ['nosuid', 'noexec', 'nodev'];
  const readOnly = privileged ? [] : ['ro'];
  const mount = (destination: string, type: string, source: string, options: readonly string[]): OciMount => ({
    destination,
    type,
    source,
    options,
  });
  return [
    mount('/proc', 'proc', 'proc', quiet),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/sys', 'sysfs', 'sysfs', [...quiet, ...readOnly]),
    ...cgroupMounts(input, writableCgroups ?? privileged),
    mount('/dev/mqueue', 'mqueue', 'mqueue', quiet),
    ...shmMount(input),
  ];
}

/** As the runtime makes them; of crun, which leaves their folder open to everybody, the same ones bound one by one. */
function cgroupMounts(input: BundleInput, writable: boolean): OciMount[] {
  const options = [...(writable ? [] : ['ro']), 'nosuid', 'noexec', 'nodev'];
  const { cgroupMounts: hierarchies, cgroupParent } = input.host;
  if (!input.runtime.isCrun || hierarchies.length === 0)
    return [{ destination: CGROUPS, type: 'cgroup', source: 'cgroup', options }];
  const own = cgroupPathOf(input.hostConfig.CgroupParent, cgroupParent, input.id);
  const folder = ['nosuid', 'noexec', 'nodev', 'mode=755'];
  return [
    { destination: CGROUPS, type: 'tmpfs', source: 'tmpfs', options: folder },
    ...hierarchies.map((path) => ({
      destination: `${CGROUPS}/${basename(path)}`,
      type: 'bind',
      source: path + own,
      options: ['bind', 'rprivate', ...options],
    })),
  ];
}

/** `--ipc host` shows the host's, `none` has none, a shared one is a bind, else a tmpfs of the container's own. */
function shmMount(input: BundleInput): OciMount[] {
  const mode = input.hostConfig.IpcMode ?? '';
  if (mode === 'none') return [];
  const shared = mode === 'host' ? '/dev/shm' : input.shmPath;
  if (shared !== undefined) {
    return [{ destination: '/dev/shm', type: 'bind', source: shared, options: ['rbind', 'rprivate'] }];
  }
  const sizeBytes = input.hostConfig.ShmSize || DEFAULT_SHM_BYTES;
  const options = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${sizeBytes}`];
  return [{ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options }];
}

function initMount(input: BundleInput): OciMount {
  return { destination: INIT_PATH, type: 'bind', source: input.host.initBinary, options: ['bind', 'ro'] };
}

/** argv of a container with `--init`. @source shim/PROTOCOL.md: the shim's init face */
export function initArgs({ command, host }: Pick<BundleInput, 'command' | 'host'>): string[] {
  return [INIT_PATH, ...(host.initArgs ?? ['init']), '--', ...command];
}

function userMounts(input: BundleInput): OciMount[] {
  const named = new Set(input.mounts.map(({ destination }) => destination));
  const tmpfs = Object.entries(input.hostConfig.Tmpfs ?? {})
    .filter(([destination]) => !named.has(destination))
    .map(([destination, options]) => tmpfsMount(destination, options.split(',').filter(Boolean)));
  const others = input.mounts.map((mount) =>
    mount.type === 'tmpfs' ? recordedTmpfs(mount) : bindMount(mount, input.runtime),
  );
  const all = [...tmpfs, ...others];
  all.forEach(checkProc);
  return all;
}

/** What may lie over /proc: files that only report. @source runc 1.1.5: libcontainer/rootfs_linux.go checkProcMount */
const OVER_PROC: ReadonlySet<string> = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((name) => `/proc/${name}`),
);

/**
 * An image's VOLUME over /proc would feed the runtime false files when it confines the process (CVE-2019-16884). runc refuses
 * that, crun does not. @throws MOUNT_OVER_PROC
 */
function checkProc({ destination, source, type }: OciMount): void {
  if (destination !== '/proc' && !destination.startsWith('/proc/')) return;
  if (OVER_PROC.has(destination) || (type === 'bind' && destination === source && source === '/proc')) return;
  const message = `error mounting "${source}" to rootfs at "${destination}": "${destination}" cannot be mounted because it is inside /proc`;
  throw new GantryError('invalid', 'MOUNT_OVER_PROC', message, { params: { source, destination } });
}

/** @throws RRO_UNSUPPORTED for a mount that must be read-only with all below it, where that cannot be */
function bindMount(mount: BundleMount, { name, recursiveReadOnly, isCrun }: RuntimeTraits): OciMount {
  const requested = new Set(mount.options);
  if (requested.has('readonly-force-recursive') && !recursiveReadOnly)
    throw new GantryError('system', 'RRO_UNSUPPORTED', `rro is not supported by runtime "${name}"`);
  const alone = requested.has('bind-nonrecursive');
  // crun fails on `rro` where there is no directory, and takes any word for a recursive option as one of the bind itself; what
  // has nothing mounted below needs neither. @source crun 1.8.1
  const plain = isCrun && alone;
  const recursive = recursiveReadOnly && mount.sourceIsDirectory && !plain && !requested.has('readonly-nonrecursive');
  const propagation = plain ? mount.propagation.replace(/^r/, '') : mount.propagation;
  const options = [
    alone ? 'bind' : 'rbind',
    ...(mount.writable ? [] : [recursive ? 'rro' : 'ro']),
    ...(propagation === '' ? [] : [propagation]),
  ];
  return { destination: mount.destination, type: 'bind', source: mount.source, options };
}

function recordedTmpfs(mount: BundleMount): OciMount {
  return tmpfsMount(mount.destination, [...(mount.options ?? []), ...(mount.writable ? [] : ['ro'])]);
}

/** Each pair excludes itself: a user's word removes the default that says the opposite or the same. */
const TMPFS_DEFAULTS: readonly (readonly [word: string, opposite: string])[] = [
  ['noexec', 'exec'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
];
const PROPAGATIONS = new Set([
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
]);

function tmpfsMount(destination: string, requested: readonly string[]): OciMount {
  const defaults = TMPFS_DEFAULTS.filter((pair) => !pair.some((word) => requested.includes(word))).map(
    ([word]) => word,
  );
  if (!requested.some((word) => PROPAGATIONS.has(word))) defaults.push('rprivate');
  return { destination, type: 'tmpfs', source: 'tmpfs', options: [...defaults, ...new Set(requested)] };
}

/** A user's mount at the same place wins. With a read-only root they are read-only too. */
function engineFiles(input: BundleInput): OciMount[] {
  const taken = new Set(input.mounts.map(({ destination }) => destination));
  const lock = input.hostConfig.ReadonlyRootfs === true ? ['ro'] : [];
  const files: readonly (readonly [string, string | undefined])[] = [
    ['/etc/resolv.conf', input.files.resolvConf],
    ['/etc/hostname', input.files.hostname],
    ['/etc/hosts', input.files.hosts],
  ];
  return files.flatMap(([destination, source]) =>
    source === undefined || taken.has(destination)
      ? []
      : [{ destination, type: 'bind', source, options: ['rbind', ...lock, 'rprivate'] }],
  );
}

const UNITS = ['', 'k', 'm', 'g'];

/** Mount options of a `--mount type=tmpfs`, for BundleMount.options. `mode` is permission bits. */
export function tmpfsOptions(request: {
  readonly sizeBytes?: number | undefined;
  readonly mode?: number | undefined;
  readonly options?: readonly (readonly string[])[] | undefined;
}): string[] {
  const mode = request.mode === undefined || request.mode === 0 ? [] : [`mode=${request.mode.toString(8)}`];
  const size =
    request.sizeBytes === undefined || request.sizeBytes === 0 ? [] : [`size=${sizeText(request.sizeBytes)}`];
  return [...mode, ...size, ...(request.options ?? []).map((pair) => pair.join('='))];
}

/** `1m` for 1048576: the largest unit that divides it. */
function sizeText(bytes: number): string {
  let [rest, unit] = [bytes, 0];
  while (unit < UNITS.length - 1 && rest % 1024 === 0) [rest, unit] = [rest / 1024, unit + 1];
  return `${rest}${UNITS[unit]}`;
}

/** The root's propagation must let through what a mount asks for. */
export function rootfsPropagation(mounts: readonly BundleMount[]): string | undefined {
  const asked = new Set(mounts.map(({ propagation }) => propagation));
  if (asked.has('shared') || asked.has('rshared')) return 'shared';
  return asked.has('slave') || asked.has('rslave') ? 'rslave' : undefined;
}
