// The OCI bundle of a container: pure assembly of its configuration.

export { buildExec, buildSpec, cgroupPathOf, specText } from './build.ts';
export { capabilitiesOfMask } from './capabilities.ts';
export type { BlockDeviceFact, BundleHost, BundleInput, BundleMount, DeviceFact, NetworkPlace } from './input.ts';
export { tmpfsOptions } from './mounts.ts';
export { networkSysctlSteps } from './namespaces.ts';
export type { OciProcess, OciSeccomp, OciSpec } from './oci.ts';
export { type ExecInput, effectiveHostname } from './process.ts';
export { MASKED_PATHS, parseSecurityOptions, READONLY_PATHS, type SecurityOptions } from './security.ts';
