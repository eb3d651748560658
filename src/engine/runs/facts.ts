// Owns the facts of this host that an OCI configuration is built from, read once at the engine's start.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { join, posix } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import {
  type BlockDeviceFact,
  type BundleHost,
  capabilitiesOfMask,
  type DeviceFact,
} from '../../runtime/bundle/index.ts';
import type { HostConfig } from '../../spec/docker/types.gen.ts';
import { hostPlatform } from '../../spec/platform.ts';

/** Reads the host once. */
export function gatherHost(options: {
  readonly cgroupVersion: 1 | 2;
  readonly cgroupParent: string;
  readonly shimBinary: string;
}): BundleHost {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return {
    architecture: hostPlatform().architecture,
    kernel: [major, minor],
    hostname: hostname(),
    capabilities: capabilitiesOfMask(mask),
    cgroupVersion: options.cgroupVersion,
    cgroupParent: options.cgroupParent,
    recursiveReadOnly: false,
    initBinary: options.shimBinary,
    initByDefault: false,
  };
}

/** The device nodes that a container asked for; all of the host's when privileged. @throws DEVICE_NOT_FOUND in Docker's words */
export function gatherDevices(hostConfig: HostConfig): readonly DeviceFact[] {
  if (hostConfig.Privileged) return devicesBelow('/dev', '/dev', 'rwm');
  return (hostConfig.Devices ?? []).flatMap(({ PathOnHost = '', PathInContainer, CgroupPermissions }) => {
    const target = PathInContainer || PathOnHost;
    const access = CgroupPermissions || 'rwm';
    const own = deviceAt(PathOnHost, target, access);
    if (own) return [own];
    const below = devicesBelow(PathOnHost, target, access);
    if (below.length > 0) return below;
    throw new GantryError(
      'invalid',
      'DEVICE_NOT_FOUND',
      `error gathering device information while adding custom device "${PathOnHost}": no such file or directory`,
      { params: { path: PathOnHost } },
    );
  });
}

/** Block devices named by throttle and weight settings. */
export function gatherBlockDevices(hostConfig: HostConfig): readonly BlockDeviceFact[] {
  const settings = [
    ...(hostConfig.BlkioWeightDevice ?? []),
    ...(hostConfig.BlkioDeviceReadBps ?? []),
    ...(hostConfig.BlkioDeviceWriteBps ?? []),
    ...(hostConfig.BlkioDeviceReadIOps ?? []),
    ...(hostConfig.BlkioDeviceWriteIOps ?? []),
  ];
  return settings.flatMap(({ Path = '' }) => {
    const device = deviceAt(Path, Path, 'rwm');
    return device ? [{ path: Path, major: device.major, minor: device.minor }] : [];
  });
}

function deviceAt(path: string, target: string, access: string): DeviceFact | undefined {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts || !(facts.isBlockDevice() || facts.isCharacterDevice())) return undefined;
  const { major, minor } = deviceNumbers(facts.rdev);
  return {
    path: target,
    type: facts.isBlockDevice() ? 'b' : 'c',
    major,
    minor,
    mode: facts.mode & 0o7777,
    uid: facts.uid,
    gid: facts.gid,
    access,
  };
}

/** @source makedev(3) of glibc */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const wide = BigInt(rdev);
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n);
  const minor = (wide & 0xffn) | ((wide >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

/** Folders of /dev that a container gets its own of. @source moby's device walk, seen on dockerd 28.5 with --privileged */
const OWN_FOLDERS = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

function devicesBelow(dir: string, target: string, access: string): DeviceFact[] {
  let names: readonly { name: string; isDirectory(): boolean }[];
  try {
    names = readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
  return names.flatMap((entry) => {
    if (OWN_FOLDERS.has(entry.name) || entry.name === 'console') return [];
    const path = join(dir, entry.name);
    const inside = posix.join(target, entry.name);
    if (entry.isDirectory()) return devicesBelow(path, inside, access);
    const device = deviceAt(path, inside, access);
    return device ? [device] : [];
  });
}
