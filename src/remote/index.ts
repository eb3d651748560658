// The face of the registry client.

export {
  ACCEPT_ANY,
  type FetchedManifest,
  RegistryClient,
  type RegistryClientOptions,
  type Repository,
  type Source,
} from './client.ts';
export { type DownloadHooks, downloadBlob } from './download.ts';
export type { Endpoint } from './endpoints.ts';
export { plainError, pullError, RegistryError } from './errors.ts';
export { DEFAULT_TIMEOUTS, type Timeouts } from './http.ts';
export type { SearchRequest, SearchResult } from './search.ts';
export type { RegistryCredentials, RegistryOptions } from './types.ts';
