// The link to the shim, as shim/PROTOCOL.md describes it.

export { attachShim } from './attach.ts';
export { connectShim, type ShimConnection, type ShimEvent } from './connection.ts';
export { isShimGone, type ShimFailure, shimFailed } from './errors.ts';
export { type ExitRecord, readExitRecord, readShimPid } from './exit-record.ts';
export { type Spawner, startSpawner } from './spawner.ts';
export type { ShimLog, ShimSpec, ShimTerminal, Step } from './spec.ts';
