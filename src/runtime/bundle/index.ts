// The OCI bundle of a container: pure assembly of its configuration.

export { buildExec, buildSpec, checkHostConfig, specText } from './build.ts';
export { capabilitiesOfMask } from './capabilities.ts';
export { cgroupPathOf } from './cgroup-path.ts';
export type {
  BlockDeviceFact,
  BundleHost,
  BundleInput,
  BundleMount,
  DeviceFact,
  NetworkPlace,
  RuntimeTraits,
} from './input.ts';
export { tmpfsOptions } from './mounts.ts';
export { dotted, networkSysctlSteps } from './namespaces.ts';
export type { OciProcess, OciSeccomp, OciSpec } from './oci.ts';
export type { ExecInput } from './process.ts';
export { MASKED_PATHS, READONLY_PATHS } from './security.ts';
