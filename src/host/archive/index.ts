// The face of packing a file tree as a tar, and of extracting one into a tree.

export { TarExtractor } from './extract.ts';
export { packTree } from './pack.ts';
