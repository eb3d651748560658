// Owns the facts of this host that an OCI configuration is built from, in the shape that the assembly wants.

import { stat } from 'node:fs/promises';
import { type DeviceNode, readAllDevices, readDevice, readDevices, readHostFacts } from '../../host/process/index.ts';
import {
  type BlockDeviceFact,
  type BundleHost,
  type BundleMount,
  capabilitiesOfMask,
  type DeviceFact,
} from '../../runtime/bundle/index.ts';
import type { HostConfig } from '../../spec/docker/types.gen.ts';
import { hostPlatform } from '../../spec/platform.ts';
import type { ContainerRecord, MountRecord } from '../containers/types.ts';

/** Reads the host once. */
export async function gatherHost(options: {
  readonly cgroupVersion: 1 | 2;
  readonly cgroupParent: string;
  readonly shimBinary: string;
  readonly recursiveReadOnly: boolean;
}): Promise<BundleHost> {
  const { kernel, hostname, capabilityMask } = await readHostFacts();
  return {
    architecture: hostPlatform().architecture,
    kernel,
    hostname,
    capabilities: capabilitiesOfMask(capabilityMask),
    cgroupVersion: options.cgroupVersion,
    cgroupParent: options.cgroupParent,
    recursiveReadOnly: options.recursiveReadOnly,
    initBinary: options.shimBinary,
    initByDefault: false,
  };
}

/** What is true of the host for one container's wishes. */
export interface WishFacts {
  readonly mounts: readonly BundleMount[];
  readonly devices: readonly DeviceFact[];
  readonly blockDevices: readonly BlockDeviceFact[];
}

/** For what depends on no device or mount. */
export const NO_WISHES: WishFacts = { mounts: [], devices: [], blockDevices: [] };

/** Looks up the devices and mount sources asked for. @throws DEVICE_NOT_FOUND in Docker's words */
export async function gatherWishes({ hostConfig, mounts }: ContainerRecord): Promise<WishFacts> {
  return {
    mounts: await Promise.all(mounts.map(async (mount) => ({ ...mount, sourceIsDirectory: await isDirectory(mount) }))),
    devices: await nodes(hostConfig),
    blockDevices: await blockNodes(hostConfig),
  };
}

async function isDirectory({ type, source }: MountRecord): Promise<boolean> {
  if (type !== 'bind') return true;
  return stat(source).then(
    (facts) => facts.isDirectory(),
    () => true,
  );
}

/** All of the host's when privileged. */
async function nodes(hostConfig: HostConfig): Promise<readonly DeviceFact[]> {
  if (hostConfig.Privileged) return (await readAllDevices()).map((node) => ({ ...node, access: 'rwm' }));
  const asked = hostConfig.Devices ?? [];
  const found = await Promise.all(
    asked.map(async ({ PathOnHost = '', PathInContainer, CgroupPermissions }) => {
      const target = PathInContainer || PathOnHost;
      const inside = (node: DeviceNode): string => target + node.path.slice(PathOnHost.length);
      const below = await readDevices(PathOnHost);
      return below.map((node) => ({ ...node, path: inside(node), access: CgroupPermissions || 'rwm' }));
    }),
  );
  return found.flat();
}

/** Block devices named by throttle and weight settings. */
async function blockNodes(hostConfig: HostConfig): Promise<readonly BlockDeviceFact[]> {
  const settings = [
    ...(hostConfig.BlkioWeightDevice ?? []),
    ...(hostConfig.BlkioDeviceReadBps ?? []),
    ...(hostConfig.BlkioDeviceWriteBps ?? []),
    ...(hostConfig.BlkioDeviceReadIOps ?? []),
    ...(hostConfig.BlkioDeviceWriteIOps ?? []),
  ];
  return Promise.all(
    settings.map(async ({ Path = '' }) => {
      const { major, minor } = await readDevice(Path);
      return { path: Path, major, minor };
    }),
  );
}
