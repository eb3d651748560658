// The face of unpacking: layers from bytes to files and back.

export { type Compression, compressionOf, MAGIC_BYTES } from './inflate.ts';
export type { UnpackResult, UnpackTarget } from './messages.ts';
export { createUnpacker, type Unpacker, type UnpackRequest } from './pool.ts';
export { rebuildTar } from './skeleton.ts';
export type { Replaced } from './tree.ts';
