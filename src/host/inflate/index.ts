// The face of undoing compressions.

export { decompressed } from './decompressed.ts';
export { compressionOf, inflateError, inflaterFor, MAGIC_BYTES } from './inflate.ts';
