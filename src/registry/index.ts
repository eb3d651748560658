// The face of the registry, for programs that open one in their own process.

export type { RegistryConfig } from './config/types.ts';

export { type OpenRegistry, openRegistry } from './open.ts';
