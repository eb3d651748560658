// Owns facts about this host and this process that containers depend on. Changes nothing.

import { readFile } from 'node:fs/promises';
import { hostname, release } from 'node:os';

/** Read once at start; none of it changes while the engine runs, but the host's name may. */
export interface HostFacts {
  readonly hostname: string;
  readonly kernelRelease: string;
  readonly kernel: readonly [major: number, minor: number];
  /** Hexadecimal bounding set of this process. */
  readonly capabilityMask: string;
  /** Changes with each boot. */
  readonly bootId: string;
}

/** @source proc_pid_status(5), random(4) */
export async function readHostFacts(): Promise<HostFacts> {
  const [status, bootId] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]);
  return {
    hostname: hostname(),
    kernelRelease: release(),
    kernel: parseKernelRelease(release()),
    capabilityMask: /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0',
    bootId: bootId.trim(),
  };
}

/** `6.18.44-fc` → [6, 18]. */
export function parseKernelRelease(text: string): readonly [major: number, minor: number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}
