// The face of storage: opens the driver that the configuration names.

export { digestMismatch } from './errors.ts';
export { openFileStorage } from './filesystem/filesystem.ts';
export { digestBytes } from './hashing.ts';
