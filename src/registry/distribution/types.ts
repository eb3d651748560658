// Owns what the distribution verbs need from other parts.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type { Grant } from '../access/types.ts';
import type {
  BlobReader,
  BlobWriter,
  Deleter,
  ManifestReader,
  ManifestRecord,
  ManifestWriter,
  Publisher,
  ReferrerDescriptor,
  RepositoryReader,
  TagReader,
  Uploads,
} from '../repositories/types.ts';

/** Where missing content comes from: a pull-through cache. */
export interface Origin {
  /** True for repositories that mirror another registry. Clients cannot push into them. */
  serves(repository: string): boolean;
  /** Fetches or refreshes the local copy when needed. @throws MANIFEST_UNKNOWN, UNAVAILABLE */
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<void>;
  /**
   * A missing blob, streamed while it is being stored; undefined when it is stored already.
   * @throws BLOB_UNKNOWN, UNAVAILABLE; DENIED where the origin forbids the repository
   */
  blob(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable } | undefined>;
  /** All tags that the origin has, in byte order. @throws NAME_UNKNOWN, DENIED, UNAVAILABLE */
  tags(repository: string): Promise<readonly string[]>;
  /** Referrers of a manifest, stored here or at the origin. @throws DENIED, UNAVAILABLE */
  referrers(repository: string, digest: Digest): Promise<readonly ReferrerDescriptor[]>;
  /** The local name of the repository `name` of the registry `namespace`. @source containerd, docs/hosts.md (`?ns=`) */
  nameFor(name: string, namespace: string): string;
}

/** May refuse to serve a manifest. @throws DENIED */
type ServeCheck = (repository: string, record: ManifestRecord, grant: Grant) => Promise<void>;

type Reader = ManifestReader & TagReader & RepositoryReader & BlobReader;
type Writer = ManifestWriter & BlobWriter & Uploads & Deleter;

export interface DistributionOptions {
  readonly repositories: Reader & Writer & Publisher;
  readonly origin: Origin | undefined;
  readonly checkServe: ServeCheck | undefined;
  readonly isReadOnly: boolean;
  /** False: the registry refuses every delete. */
  readonly isDeleteOn: boolean;
  readonly maxManifestBytes: number;
  readonly maxBlobBytes: number;
}
