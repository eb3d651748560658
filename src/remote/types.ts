// Owns what callers tell of registries and of who they are there. No behaviour.

/** Credentials for one registry, as X-Registry-Auth carries them. */
export interface RegistryCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly serverAddress?: string | undefined;
}

/** Where registries are reached, and how. */
export interface RegistryOptions {
  readonly mirrors: readonly string[];
  /** Host[:port] or CIDR; loopback is always allowed plain HTTP. */
  readonly insecure: readonly string[];
  readonly maxConcurrentDownloads: number;
  /** Of a layer; default 5. */
  readonly maxDownloadAttempts?: number | undefined;
}
