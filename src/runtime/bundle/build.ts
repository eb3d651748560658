// Owns assembling the whole OCI configuration out of its sections, and its text. Pure.

import type { HostConfig } from '../../spec/docker/types.gen.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import type { BundleHost, BundleInput, DeviceFact } from './input.ts';
import { buildMounts, rootfsPropagation } from './mounts.ts';
import { buildNamespaces, runtimeSysctls } from './namespaces.ts';
import type { OciDevice, OciLinux, OciProcess, OciSeccomp, OciSpec } from './oci.ts';
import { buildExecProcess, buildProcess, containerCapabilities, type ExecInput, effectiveHostname } from './process.ts';
import { buildResources, buildRlimits, deviceRules } from './resources.ts';
import { defaultSeccomp, type SeccompFacts, userSeccomp } from './seccomp/index.ts';
import { guardedPaths, parseSecurityOptions, type SecurityOptions } from './security.ts';

/** The oldest that names all we use; crun 1.8 refuses 1.2. */
const OCI_VERSION = '1.0.2';

/**
 * Refuses what no container can have, whatever the host looks like at its start.
 * @throws CAPABILITY_UNKNOWN, CAPABILITY_UNAVAILABLE, SECURITY_OPTION_INVALID, SECCOMP_PROFILE_INVALID, DEVICE_RULE_INVALID,
 * RLIMIT_INVALID
 */
export function checkHostConfig(hostConfig: HostConfig, host: BundleHost): void {
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  chooseSeccomp({ hostConfig, host }, security, containerCapabilities({ hostConfig, host }));
  deviceRules(hostConfig, []);
  buildRlimits(hostConfig);
}

/**
 * The OCI configuration of a container.
 * @throws CAPABILITY_UNKNOWN, CAPABILITY_UNAVAILABLE, SECURITY_OPTION_INVALID, SECCOMP_PROFILE_INVALID,
 * DEVICE_RULE_INVALID, BLOCK_DEVICE_UNKNOWN, MOUNT_OVER_PROC
 */
export function buildSpec(input: BundleInput): OciSpec {
  const { hostConfig } = input;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const capabilities = containerCapabilities(input);
  const init = wantsInit(input);
  const annotations = hostConfig.Annotations ?? {};
  return {
    ociVersion: OCI_VERSION,
    process: buildProcess(input, security, capabilities, init),
    root: hostConfig.ReadonlyRootfs === true ? { path: input.rootfsPath, readonly: true } : { path: input.rootfsPath },
    ...(hostConfig.UTSMode === 'host' ? {} : { hostname: effectiveHostname(input) }),
    mounts: buildMounts(input, { init, writableCgroups: security.writableCgroups }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    linux: buildLinux(input, security, capabilities),
  };
}

function wantsInit({ hostConfig, host }: BundleInput): boolean {
  const privatePid = (hostConfig.PidMode ?? '') === '';
  return privatePid && (hostConfig.Init ?? host.initByDefault);
}

function buildLinux(input: BundleInput, security: SecurityOptions, capabilities: readonly string[]): OciLinux {
  const { host, hostConfig } = input;
  const sysctl = runtimeSysctls(input);
  const seccomp = chooseSeccomp(input, security, capabilities);
  const propagation = rootfsPropagation(input.mounts);
  const guarded = guardedPaths(hostConfig);
  return {
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    resources: buildResources(input),
    cgroupsPath: cgroupPathOf(hostConfig.CgroupParent, host.cgroupParent, input.id),
    namespaces: buildNamespaces(input),
    ...(input.devices.length === 0 ? {} : { devices: input.devices.map(ociDevice) }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(guarded.masked.length === 0 ? {} : { maskedPaths: guarded.masked }),
    ...(guarded.readonly.length === 0 ? {} : { readonlyPaths: guarded.readonly }),
  };
}

function ociDevice({ path, type, major, minor, mode, uid, gid }: DeviceFact): OciDevice {
  return { path, type, major, minor, fileMode: mode, uid, gid };
}

function chooseSeccomp(
  input: Pick<BundleInput, 'hostConfig' | 'host'>,
  security: SecurityOptions,
  capabilities: readonly string[],
): OciSeccomp | undefined {
  if (input.hostConfig.Privileged === true && security.seccomp === undefined) return undefined;
  const { architecture, kernel } = input.host;
  const facts: SeccompFacts = { architecture, kernel, capabilities: new Set(capabilities) };
  if (security.seccomp === 'unconfined') return undefined;
  if (security.seccomp === undefined || security.seccomp === 'builtin') return defaultSeccomp(facts);
  return userSeccomp(security.seccomp, facts);
}

/** The `process.json` of an exec in the container that `input` describes. @throws as buildSpec */
export function buildExec(input: BundleInput, exec: ExecInput): OciProcess {
  return buildExecProcess(input, parseSecurityOptions(input.hostConfig.SecurityOpt ?? []), exec);
}

/** JSON text of a configuration; unsigned 64-bit values keep all their digits. */
export function specText(spec: OciSpec | OciProcess): string {
  const process = 'process' in spec ? spec.process : spec;
  const wide = process.rlimits?.some(({ soft, hard }) => typeof soft === 'bigint' || typeof hard === 'bigint');
  return wide === true ? JSON.stringify(spec, writeBigint) : JSON.stringify(spec);
}

/** Not yet in TypeScript's library. @source ECMAScript proposal-json-parse-with-source, stage 3 */
const withRaw = JSON as unknown as { rawJSON(text: string): unknown };

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? withRaw.rawJSON(String(value)) : value;
}
