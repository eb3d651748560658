// How containers run: the bundle that describes one, the runtime that makes it, the shim that keeps it.

export * from './bundle/index.ts';
export * from './drivers/index.ts';
export * from './link/index.ts';
export { resolveUser } from './user.ts';
