// The face of the configuration.

export { type Command, readCommand, usage } from './command.ts';
export { parseDuration, parseSize } from './schema.ts';
