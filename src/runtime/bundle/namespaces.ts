// Owns which namespaces a container gets, joins or shares, and its sysctls by namespace. Pure.

import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { Step } from '../link/index.ts';
import type { BundleInput } from './input.ts';
import type { OciNamespace } from './oci.ts';

/** Docker's order. The network entry is left out when the runtime inherits it: from the shim, or the host's. */
export function buildNamespaces(input: BundleInput): OciNamespace[] {
  const { hostConfig, network } = input;
  const made = (type: OciNamespace['type'], mode: string | undefined, joinPid?: number): OciNamespace[] => {
    if (mode === 'host') return [];
    if (joinedContainer(mode) !== undefined && joinPid === undefined)
      throw new Error(`no process to join for ${type} ${mode}`);
    return [joinPid === undefined ? { type } : { type, path: `/proc/${joinPid}/ns/${type}` }];
  };
  return [
    { type: 'mount' },
    ...(network.kind === 'join' ? [{ type: 'network', path: `/proc/${network.pid}/ns/net` } as const] : []),
    ...made('uts', hostConfig.UTSMode),
    ...made('pid', hostConfig.PidMode, input.joinPid),
    ...made('ipc', hostConfig.IpcMode, input.joinIpc),
    ...(cgroupNamespace(input) ? [{ type: 'cgroup' } as const] : []),
  ];
}

function cgroupNamespace(input: BundleInput): boolean {
  const mode = input.hostConfig.CgroupnsMode ?? '';
  return mode === '' ? input.host.cgroupVersion === 2 : mode === 'private';
}

/** All sysctls of the container, Docker's defaults included where the network is its own. */
function allSysctls(input: BundleInput): Readonly<Record<string, string>> {
  const defaults =
    input.network.kind === 'own'
      ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
      : {};
  const asked = Object.entries(input.hostConfig.Sysctls ?? {}).map(([name, text]) => [dotted(name), text]);
  return { ...defaults, ...Object.fromEntries(asked) };
}

/** The sysctls that the runtime sets, or refuses: all but those of the shim's network namespace. */
export function runtimeSysctls(input: BundleInput): Record<string, string> {
  const domain = input.config.Domainname ?? '';
  const named = domain === '' || input.hostConfig.UTSMode === 'host' ? {} : { 'kernel.domainname': domain };
  const shims = input.network.kind === 'own';
  const rest = Object.entries(allSysctls(input)).filter(([name]) => !(shims && name.startsWith('net.')));
  return { ...named, ...Object.fromEntries(rest) };
}

/**
 * The steps that set a container's net.* sysctls. They follow `unshare␟net`: the shim owns that namespace, the runtime only
 * inherits it and would refuse them.
 */
export function networkSysctlSteps(input: BundleInput): Step[] {
  if (input.network.kind !== 'own') return [];
  return Object.entries(allSysctls(input))
    .filter(([name]) => name.startsWith('net.'))
    .map(([name, text]) => ({ verb: 'write', path: sysctlPath(name), text }));
}

/** `net.ipv4.conf.eth0/1.x` names a device with a dot by a slash, as sysctl(8) does; no way out of /proc/sys/net. */
function sysctlPath(name: string): string {
  const parts = swapped(name)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return `/proc/sys/${parts.join('/')}`;
}

/** The usual spelling: a name whose first separator is a slash has its dots and slashes the other way round. @source sysctl(8) */
export function dotted(name: string): string {
  return /^[^./]*\//.test(name) ? swapped(name) : name;
}

function swapped(name: string): string {
  return [...name].map((char) => (char === '.' ? '/' : char === '/' ? '.' : char)).join('');
}
