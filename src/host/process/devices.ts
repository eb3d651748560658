// Owns reading device nodes of the host. Makes none.

import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { GantryError } from '../../lib/errors.ts';

/** A device node: kind, numbers, permission bits and owner. */
export interface DeviceNode {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const MODE_BITS = 0o777;
/** Under /dev, but no devices of the host: file systems that a container gets anew, or other managers' state. */
const NOT_SHARED = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']);
const DEEPEST = 10;

/**
 * The node at `path`, links followed.
 * @throws DEVICE_NOT_FOUND with Docker's wording when it is missing or no device
 */
export async function readDevice(path: string): Promise<DeviceNode> {
  const found = await statOrUndefined(path);
  if (found === undefined) throw noDevice(path, 'no such file or directory');
  return nodeOf(path, found) ?? raise(noDevice(path, 'not a device node'));
}

/**
 * The nodes that a `--device` entry means: the one at `path`, or every one below it when it is a directory.
 * @throws DEVICE_NOT_FOUND
 */
export async function readDevices(path: string): Promise<DeviceNode[]> {
  const found = await statOrUndefined(path);
  if (found?.isDirectory() !== true) return [await readDevice(path)];
  const below = await walk(path, DEEPEST);
  return below.length > 0 ? below : raise(noDevice(path, 'not a device node'));
}

/** Every device of the host, for privileged containers; sorted by path. */
export async function readAllDevices(root = '/dev'): Promise<DeviceNode[]> {
  return await walk(root, DEEPEST, NOT_SHARED);
}

async function walk(directory: string, depth: number, except?: ReadonlySet<string>): Promise<DeviceNode[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const lists = await Promise.all(
    sorted.map(async (entry): Promise<DeviceNode[]> => {
      if (except?.has(entry.name)) return [];
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) return depth > 0 ? walk(path, depth - 1) : [];
      if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
      const found = await statOrUndefined(path);
      const node = found === undefined ? undefined : nodeOf(path, found);
      return node === undefined ? [] : [node];
    }),
  );
  return lists.flat();
}

async function statOrUndefined(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function nodeOf(path: string, found: BigIntStats): DeviceNode | undefined {
  const type = found.isCharacterDevice() ? 'c' : found.isBlockDevice() ? 'b' : undefined;
  if (type === undefined) return undefined;
  return {
    path,
    type,
    ...deviceNumbers(found.rdev),
    mode: Number(found.mode) & MODE_BITS,
    uid: Number(found.uid),
    gid: Number(found.gid),
  };
}

/** Splits a dev_t. @source makedev(3), glibc's 64-bit layout */
export function deviceNumbers(device: bigint): { readonly major: number; readonly minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

function noDevice(path: string, reason: string): GantryError {
  return new GantryError(
    'invalid',
    'DEVICE_NOT_FOUND',
    `error gathering device information while adding custom device "${path}": ${reason}`,
    { params: { path } },
  );
}

function raise(error: Error): never {
  throw error;
}
