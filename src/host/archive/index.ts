// The face of packing a file tree as a tar, and of extracting one into a tree.

export { type ExtractOptions, TarExtractor } from './extract.ts';
export { type PackRequest, packTree } from './pack.ts';
