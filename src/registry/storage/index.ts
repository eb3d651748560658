// The face of storage: opens the driver that the configuration names.

export { openFileStorage } from './filesystem/filesystem.ts';
