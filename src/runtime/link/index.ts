// The link to the shim, as shim/PROTOCOL.md describes it.

export { type AttachStreams, attachShim } from './attach.ts';
export { connectShim, type ShimConnection, type ShimEvent, type ShimEventKind } from './connection.ts';
export { isShimGone, type ShimFailure, shimFailed } from './errors.ts';
export { type ExitRecord, parseExitRecord, readExitRecord, readShimPid } from './exit-record.ts';
export { type RunRequest, type RunResult, type Spawner, startSpawner } from './spawner.ts';
export type { ShimLog, ShimSpec, ShimTerminal, Step } from './spec.ts';
