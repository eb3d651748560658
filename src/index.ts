// What a program imports: an engine in its own process.

export type { Engine, OpenEngine } from './engine/index.ts';
export { GantryError, isGantryError } from './lib/errors.ts';
export { type OpenOptions, openEngine } from './library/open.ts';
export { type RunOptions, type RunOutcome, run } from './library/run.ts';
