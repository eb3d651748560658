// The face of undoing compressions.

export { decompressed } from './decompressed.ts';
export { type Compression, compressionOf, inflateError, inflaterFor, MAGIC_BYTES } from './inflate.ts';
