// Owns what the distribution verbs need of others.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type { Grant } from '../access/types.ts';
import type { ManifestRecord, ReferrerDescriptor, Repositories } from '../repositories/types.ts';

/** Where content comes from that is not here yet: a pull-through cache. */
export interface Origin {
  /** True for repositories that mirror another registry: nobody pushes into them. */
  serves(repository: string): boolean;
  /** Sees to it that the local copy is there and fresh. @throws MANIFEST_UNKNOWN, UNAVAILABLE */
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<void>;
  /** A blob that is not here, while it is being stored; undefined when it is here by now. @throws BLOB_UNKNOWN, UNAVAILABLE */
  /** @throws DENIED where the origin forbids the repository */
  blob(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable } | undefined>;
  /** All tags that the origin has, in byte order. @throws NAME_UNKNOWN, DENIED, UNAVAILABLE */
  tags(repository: string): Promise<readonly string[]>;
  /** What refers to a manifest, here or at the origin. @throws DENIED, UNAVAILABLE */
  referrers(repository: string, digest: Digest): Promise<readonly ReferrerDescriptor[]>;
  /** The local name of what a client means by `name` in the registry `namespace`. @source containerd, docs/hosts.md (`?ns=`) */
  nameFor(name: string, namespace: string): string;
}

/** May refuse to serve a manifest. @throws DENIED */
type ServeCheck = (repository: string, record: ManifestRecord, grant: Grant) => Promise<void>;

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
