// Owns the process section of the OCI configuration, for a container's first process and for execs. Pure.

import type { ResolvedUser } from '../user.ts';
import { chooseCapabilities } from './capabilities.ts';
import type { BundleInput } from './input.ts';
import { initArgs } from './mounts.ts';
import type { OciCapabilities, OciProcess } from './oci.ts';
import { buildRlimits } from './resources.ts';
import type { SecurityOptions } from './security.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SHORT_ID_LENGTH = 12;

/** What an exec adds to its container. */
export interface ExecInput {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly tty: boolean;
  /** '' = the container's. */
  readonly workingDir: string;
  readonly privileged: boolean;
  readonly user: ResolvedUser;
  /** rows, columns. */
  readonly consoleSize?: readonly [number, number] | undefined;
}

/** The bounding set of the container itself. @throws CAPABILITY_UNKNOWN, CAPABILITY_UNAVAILABLE */
export function containerCapabilities(input: Pick<BundleInput, 'hostConfig' | 'host'>): string[] {
  const { CapAdd, CapDrop, Privileged } = input.hostConfig;
  return chooseCapabilities(
    { add: CapAdd ?? [], drop: CapDrop ?? [], privileged: Privileged === true },
    input.host.capabilities,
  );
}

/**
 * All sets alike: a user other than root loses effective and permitted ones at execve, since none is inheritable or
 * ambient. @source dockerd 28.5
 */
function capabilitySets(names: readonly string[]): OciCapabilities {
  return { bounding: names, effective: names, permitted: names };
}

/** The container's first process. */
export function buildProcess(
  input: BundleInput,
  security: SecurityOptions,
  capabilities: readonly string[],
  init: boolean,
): OciProcess {
  const { config, hostConfig, user } = input;
  const [rows, columns] = hostConfig.ConsoleSize ?? [];
  return {
    ...terminal(config.Tty === true, rows, columns),
    user: ociUser(user),
    args: init ? initArgs(input) : input.command,
    env: withHome(containerEnv(input, config.Tty === true), user),
    cwd: config.WorkingDir || '/',
    capabilities: capabilitySets(capabilities),
    ...confinement(input, security),
    oomScoreAdj: hostConfig.OomScoreAdj ?? 0,
  };
}

/** A further process: the container's environment, limits and confinement, with the exec's own on top. */
export function buildExecProcess(input: BundleInput, security: SecurityOptions, exec: ExecInput): OciProcess {
  const [rows, columns] = exec.consoleSize ?? [];
  return {
    ...terminal(exec.tty, rows, columns),
    user: ociUser(exec.user),
    args: exec.command,
    env: withHome(mergeEnv(containerEnv(input, exec.tty), exec.env), exec.user),
    cwd: exec.workingDir || input.config.WorkingDir || '/',
    capabilities: capabilitySets(exec.privileged ? input.host.capabilities : containerCapabilities(input)),
    ...confinement(input, security),
    oomScoreAdj: input.hostConfig.OomScoreAdj ?? 0,
  };
}

function terminal(tty: boolean, rows = 0, columns = 0): Pick<OciProcess, 'terminal' | 'consoleSize'> {
  if (!tty) return {};
  return rows > 0 && columns > 0
    ? { terminal: true, consoleSize: { height: rows, width: columns } }
    : { terminal: true };
}

function ociUser(user: ResolvedUser): OciProcess['user'] {
  return { uid: user.uid, gid: user.gid, additionalGids: user.groups };
}

function confinement(
  input: BundleInput,
  security: SecurityOptions,
): Pick<OciProcess, 'rlimits' | 'noNewPrivileges' | 'apparmorProfile'> {
  const rlimits = buildRlimits(input.hostConfig);
  // Where the kernel has no AppArmor a profile means nothing, to Docker too.
  const confined = input.host.apparmor && input.hostConfig.Privileged !== true;
  const apparmor = confined ? security.apparmor : undefined;
  return {
    ...(rlimits.length === 0 ? {} : { rlimits }),
    ...(security.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...(apparmor === undefined || apparmor === 'unconfined' ? {} : { apparmorProfile: apparmor }),
  };
}

/** The name that the container sees as its own. */
export function effectiveHostname(input: BundleInput): string {
  const given = input.config.Hostname ?? '';
  if (given !== '') return given;
  const ofHost = input.network.kind === 'host' || input.hostConfig.UTSMode === 'host';
  return ofHost ? input.host.hostname : input.id.slice(0, SHORT_ID_LENGTH);
}

function containerEnv(input: BundleInput, tty: boolean): string[] {
  const defaults = [
    `PATH=${DEFAULT_PATH}`,
    `HOSTNAME=${effectiveHostname(input)}`,
    ...(tty ? ['TERM=xterm'] : []),
    ...(input.linkEnv ?? []),
  ];
  return mergeEnv(defaults, input.config.Env ?? []);
}

/** `K=V` replaces in place or is appended; `K` alone removes. */
function mergeEnv(defaults: readonly string[], overrides: readonly string[]): string[] {
  const merged = new Map(defaults.map((entry) => [nameOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes('=')) merged.set(nameOf(entry), entry);
    else merged.delete(entry);
  }
  return [...merged.values()];
}

function nameOf(entry: string): string {
  const at = entry.indexOf('=');
  return at < 0 ? entry : entry.slice(0, at);
}

/** Docker leaves HOME, absent or empty, to the runtime; runc and crun differ in the details, so it is written here. */
function withHome(env: readonly string[], user: ResolvedUser): string[] {
  const given = env.filter((entry) => entry !== 'HOME=');
  return given.some((entry) => nameOf(entry) === 'HOME') ? given : [...given, `HOME=${user.home}`];
}
