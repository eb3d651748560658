// Owns Linux capabilities by Docker's rules: the default set, adding, dropping, names. Pure.

import { GantryError } from '../../lib/errors.ts';

/** In kernel order: the index is the bit. @source linux/capability.h, Linux 6.18 */
const KERNEL_NAMES: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** What every container gets. @source dockerd 28.5 */
const DEFAULT_CAPABILITIES: readonly string[] = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** Names of the bits of a mask such as CapBnd in /proc/self/status (hex), in kernel order. */
export function capabilitiesOfMask(hex: string): string[] {
  const mask = BigInt(`0x${hex.trim()}`);
  return KERNEL_NAMES.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/** What a request says about capabilities; names as the user wrote them. */
export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

/**
 * The bounding set of a container. `available` is what the engine itself may give.
 * @throws CAPABILITY_UNKNOWN, CAPABILITY_UNAVAILABLE with Docker's wordings
 */
export function chooseCapabilities(request: CapabilityRequest, available: readonly string[]): string[] {
  const add = normalize(request.add, 'CapAdd', available);
  const drop = normalize(request.drop, 'CapDrop', available);
  if (request.privileged) return [...available];
  if (add.includes('ALL')) return available.filter((name) => !drop.includes(name));
  if (drop.includes('ALL')) return add;
  const kept = DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...add])];
}

function normalize(names: readonly string[], field: string, available: readonly string[]): string[] {
  return [...new Set(names.map((written) => normalizeOne(written, field, available)))];
}

function normalizeOne(written: string, field: string, available: readonly string[]): string {
  const upper = written.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (available.includes(name)) return name;
  const known = KERNEL_NAMES.includes(name);
  const reason = known
    ? 'capability not supported by your kernel or not available in the current environment'
    : 'unknown capability';
  throw new GantryError(
    'invalid',
    known ? 'CAPABILITY_UNAVAILABLE' : 'CAPABILITY_UNKNOWN',
    `invalid ${field}: ${reason}: "${name}"`,
    { params: { capability: name } },
  );
}
