// The face of tar reading and writing.

export { TarReader } from './reader.ts';
export type { TarEntry, TarEntryType, TarSink, TarTime } from './types.ts';
export { TAR_END, type TarEntryInput, tarHeader, tarPadding } from './writer.ts';
