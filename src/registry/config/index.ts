// The face of the configuration.

export { readCommand, usage } from './command.ts';
export { parseDuration, parseSize } from './schema.ts';
