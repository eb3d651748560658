// Owns the facts of this host that an OCI configuration is built from, in the shape that the assembly wants.

import { readFile, stat } from 'node:fs/promises';
import type { CgroupLayout } from '../../host/cgroup/index.ts';
import {
  type DeviceNode,
  deviceNumbers,
  readAllDevices,
  readDevices,
  readHostFacts,
} from '../../host/process/index.ts';
import { GantryError } from '../../lib/errors.ts';
import {
  type BlockDeviceFact,
  type BundleHost,
  type BundleMount,
  capabilitiesOfMask,
  type DeviceFact,
} from '../../runtime/bundle/index.ts';
import type { DeviceMapping, HostConfig } from '../../spec/docker/types.gen.ts';
import { hostPlatform } from '../../spec/platform.ts';
import type { ContainerRecord, MountRecord } from '../containers/types.ts';
import { runtimeSource } from './mount-steps.ts';

/** @source kernel documentation, admin-guide/LSM/apparmor */
const APPARMOR_ENABLED = '/sys/module/apparmor/parameters/enabled';

/** Reads the host once. */
export async function gatherHost(options: {
  readonly layout: CgroupLayout;
  readonly cgroupParent: string;
  readonly shimBinary: string;
}): Promise<BundleHost> {
  const { kernel, hostname, capabilityMask } = await readHostFacts();
  return {
    architecture: hostPlatform().architecture,
    kernel,
    hostname,
    capabilities: capabilitiesOfMask(capabilityMask),
    cgroupVersion: options.layout.version,
    cgroupMounts: [...new Set(options.layout.controllers.values())],
    cgroupParent: options.cgroupParent,
    apparmor: (await readFile(APPARMOR_ENABLED, 'utf8').catch(() => '')).startsWith('Y'),
    initBinary: options.shimBinary,
    initByDefault: false,
  };
}

/** What is true of the host for one container's resources. */
export interface HostResources {
  readonly mounts: readonly BundleMount[];
  readonly devices: readonly DeviceFact[];
  readonly blockDevices: readonly BlockDeviceFact[];
}

/** For what depends on no device or mount. */
export const NO_HOST_RESOURCES: HostResources = { mounts: [], devices: [], blockDevices: [] };

/** Looks up the devices and mount sources asked for; `dir` is the run directory. @throws DEVICE_NOT_FOUND, BLOCK_DEVICE_MISSING in Docker's words */
export async function gatherHostResources(
  { hostConfig, mounts }: ContainerRecord,
  dir: string,
): Promise<HostResources> {
  return {
    mounts: await Promise.all(mounts.map((mount, index) => mountFact(mount, runtimeSource(dir, mount, index)))),
    devices: await nodes(hostConfig),
    blockDevices: await blockNodes(hostConfig),
  };
}

async function mountFact(mount: MountRecord, source: string): Promise<BundleMount> {
  const isWhole = mount.type !== 'bind' && mount.subpath === undefined;
  const sourceIsDirectory =
    isWhole ||
    (await stat(source).then(
      (facts) => facts.isDirectory(),
      () => true,
    ));
  return { ...mount, source, sourceIsDirectory };
}

/** Of two at one place in the container the later counts; when privileged all of the host's come first. */
async function nodes({ Privileged, Devices }: HostConfig): Promise<readonly DeviceFact[]> {
  const all = Privileged ? (await readAllDevices()).map((node) => ({ ...node, access: 'rwm' })) : [];
  const asked = await Promise.all((Devices ?? []).map(askedNodes));
  const byPath = new Map([...all, ...asked.flat()].map((node) => [node.path, node]));
  return [...byPath.values()];
}

async function askedNodes(mapping: DeviceMapping): Promise<readonly DeviceFact[]> {
  const { PathOnHost = '', PathInContainer, CgroupPermissions } = mapping;
  const target = PathInContainer || PathOnHost;
  const inside = (node: DeviceNode): string => target + node.path.slice(PathOnHost.length);
  const below = await readDevices(PathOnHost);
  return below.map((node) => ({ ...node, path: inside(node), access: CgroupPermissions || 'rwm' }));
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
  return Promise.all(settings.map(({ Path = '' }) => blockNode(Path)));
}

async function blockNode(path: string): Promise<BlockDeviceFact> {
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'no such file or directory' : error.message;
    throw new GantryError('system', 'BLOCK_DEVICE_MISSING', `stat ${path}: ${why}`, { params: { path } });
  });
  if (!found.isBlockDevice())
    throw new GantryError('system', 'BLOCK_DEVICE_MISSING', `${path} is no block device`, { params: { path } });
  return { path, ...deviceNumbers(found.rdev) };
}
