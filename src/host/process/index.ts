// The door to facts about this host: kernel, capabilities, programs, device nodes.

export { type DeviceNode, deviceNumbers, readAllDevices, readDevice, readDevices } from './devices.ts';
export { findExecutable } from './executables.ts';
export { type HostFacts, parseKernelRelease, readHostFacts } from './facts.ts';
export { openFileLimit, openFileWarning } from './limits.ts';
