// Owns what the distribution verbs need of others.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type { Grant } from '../access/types.ts';
import type { ManifestRecord, Repositories } from '../repositories/types.ts';

/** Where content comes from that is not here yet: a pull-through cache. */
export interface Origin {
  /** True for repositories that mirror another registry: nobody pushes into them. */
  serves(repository: string): boolean;
  /** Sees to it that the local copy is there and fresh. @throws MANIFEST_UNKNOWN, UNAVAILABLE */
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<void>;
  /** A blob that is not here, while it is being stored; undefined when it is here by now. @throws BLOB_UNKNOWN, UNAVAILABLE */
  blob(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable } | undefined>;
}

/** May refuse to serve a manifest. @throws DENIED */
export type ServeCheck = (repository: string, record: ManifestRecord, grant: Grant) => Promise<void>;

export interface DistributionOptions {
  readonly repositories: Repositories;
  readonly origin: Origin | undefined;
  readonly checkServe: ServeCheck | undefined;
  readonly isReadOnly: boolean;
  /** False: the registry refuses every delete. */
  readonly isDeleteOn: boolean;
  readonly maxManifestBytes: number;
  readonly maxBlobBytes: number;
}
