// The face of unpacking: layers from bytes to files and back.

export type { UnpackResult, UnpackTarget } from './messages.ts';
export { createUnpacker, type Unpacker } from './pool.ts';
export { rebuildTar } from './skeleton.ts';
export type { Replaced } from './tree.ts';
