// The face of the registry client.

export {
  ACCEPT_ANY,
  type FetchedManifest,
  RegistryClient,
  type Repository,
} from './client.ts';
export { downloadBlob } from './download.ts';

export { plainError, pullError, RegistryError } from './errors.ts';
export type { Timeouts } from './http.ts';
export type { SearchResult } from './search.ts';
export type { RegistryOptions } from './types.ts';
