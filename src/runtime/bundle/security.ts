// Owns the meaning of `--security-opt`, privileged mode, and the masked and read-only paths. Pure.

import { GantryError } from '../../lib/errors.ts';
import type { HostConfig } from '../../spec/docker/types.gen.ts';

/** Paths that show the host's state. @source dockerd 28.5 */
export const MASKED_PATHS: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

/** Paths that would change the host. @source dockerd 28.5 */
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** The options, decoded. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** undefined = the default profile; `unconfined`, `builtin`, or a profile's JSON. */
  readonly seccomp?: string | undefined;
  readonly apparmor?: string | undefined;
  /** SELinux label parts such as `type:x`, or `disable`. */
  readonly labels: readonly string[];
  /** undefined = as the privileges say. */
  readonly writableCgroups?: boolean | undefined;
}

/**
 * Decodes HostConfig.SecurityOpt: `key=value`, `key:value`, or a word alone. Later ones win.
 * @throws SECURITY_OPTION_INVALID with Docker's wording
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const labels: string[] = [];
  let found: Omit<SecurityOptions, 'labels'> = { noNewPrivileges: false };
  for (const option of options) {
    if (option === 'disable') {
      labels.push(option);
      continue;
    }
    const alone = ALONE.get(option);
    if (alone !== undefined) {
      found = { ...found, ...alone };
      continue;
    }
    const at = option.indexOf('=') >= 0 ? option.indexOf('=') : option.indexOf(':');
    if (at < 0) throw invalid(1, option);
    const [key, value] = [option.slice(0, at), option.slice(at + 1)];
    if (key === 'label') labels.push(value);
    else found = { ...found, ...decode(key, value, option) };
  }
  return { ...found, labels };
}

/** Options that need no value. */
const ALONE: ReadonlyMap<string, Partial<SecurityOptions>> = new Map([
  ['no-new-privileges', { noNewPrivileges: true }],
  ['writable-cgroups', { writableCgroups: true }],
]);

function decode(key: string, value: string, option: string): Partial<SecurityOptions> {
  const flag =
    /^(?:1|t|T|TRUE|true|True)$/.test(value) || (/^(?:0|f|F|FALSE|false|False)$/.test(value) ? false : undefined);
  if (key === 'seccomp') return { seccomp: value || undefined };
  if (key === 'apparmor') return { apparmor: value };
  if (key === 'no-new-privileges' && flag !== undefined) return { noNewPrivileges: flag };
  if (key === 'writable-cgroups' && flag !== undefined) return { writableCgroups: flag };
  throw invalid(2, option);
}

function invalid(form: 1 | 2, option: string): GantryError {
  return new GantryError('system', 'SECURITY_OPTION_INVALID', `invalid --security-opt ${form}: "${option}"`, {
    params: { option },
  });
}

/** The paths to hide and to lock; privileged containers have none but those asked for. */
export function guardedPaths(hostConfig: HostConfig): {
  readonly masked: readonly string[];
  readonly readonly: readonly string[];
} {
  const privileged = hostConfig.Privileged === true;
  return {
    masked: hostConfig.MaskedPaths ?? (privileged ? [] : MASKED_PATHS),
    readonly: hostConfig.ReadonlyPaths ?? (privileged ? [] : READONLY_PATHS),
  };
}
