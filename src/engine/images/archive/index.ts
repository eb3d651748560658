// The face of reading image archives.

export { type ArchivedImage, imagesIn } from './contents.ts';
export { type Spool, spoolArchive } from './spool.ts';
