// Owns the face of repositories: what the registry knows and does about manifests, tags, blobs and uploads. No HTTP, no access control.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type { Append, ByteRange } from '../storage/types.ts';
import type { Actor, EventListener, RequestFacts } from '../types.ts';

/** Who does something, and by which request. */
export interface Initiator {
  readonly actor: Actor;
  readonly request?: RequestFacts | undefined;
}

/** A manifest as it is known in one repository. */
export interface ManifestRecord {
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Of the manifest's own bytes. */
  readonly sizeBytes: number;
  /** `artifactType`, or the config's media type where that stands for it; '' when none. */
  readonly artifactType: string;
  readonly subject?: Digest | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly pushedAtMs: number;
  readonly pushedBy: string;
  readonly summary: ManifestSummary;
}

/** What searches and pages show of a manifest; read from its configuration when it was pushed. */
export interface ManifestSummary {
  /** `os/architecture[/variant]`; of an index those of its entries. */
  readonly platforms: readonly string[];
  /** The image's labels; of an index those of the first entry that has any. */
  readonly labels: Readonly<Record<string, string>>;
  /** When the image says that it was built, Unix milliseconds. */
  readonly createdAtMs?: number | undefined;
  /** Configuration and layers together; of an index those of its entries that are here. */
  readonly contentBytes: number;
}

/** What a manifest points at. */
export interface ManifestReference {
  readonly digest: Digest;
  readonly kind: 'config' | 'layer' | 'manifest';
  readonly mediaType: string;
  readonly sizeBytes: number;
}

export interface TagRecord {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly updatedAtMs: number;
  readonly pushedBy: string;
}

/** One stretch of a tag's life. */
export interface TagHistoryEntry {
  readonly digest: Digest;
  readonly sinceMs: number;
  /** Undefined while it still points there. */
  readonly untilMs?: number | undefined;
  readonly by: string;
}

/** An entry of the referrers list, as in an OCI index. */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One page of a sorted list: `after` is exclusive, `limit` at most so many. */
export interface Page {
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface PutManifest extends Initiator {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** With a digest as reference: the tags to set as well. */
  readonly tags?: readonly string[] | undefined;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** What it points at need not be here yet: a pull-through cache fetches it when it is asked for. */
  readonly isPartial?: boolean | undefined;
}

export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly sizeBytes: number;
}

/** A judgement on manifests that others make (policies, immutable tags). Throw a GantryError of kind `forbidden` to refuse. */
export interface Guard {
  /** Before a manifest becomes visible, or a tag moves. `previous` is what the tag points to now. */
  beforePut?(put: PutManifest, digest: Digest, previous: Digest | undefined): Promise<void>;
  /** Before a tag or manifest goes. */
  beforeDelete?(repository: string, what: { readonly tag: string } | { readonly digest: Digest }): void;
}

/**
 * Everything the registry stores, by repository. Names are checked by the caller's grammar (`src/spec/oci/names.ts`).
 * All verbs throw GantryError with the specification's code: NAME_UNKNOWN, MANIFEST_UNKNOWN, BLOB_UNKNOWN, BLOB_UPLOAD_UNKNOWN,
 * MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID, SIZE_INVALID, RANGE_INVALID, DENIED.
 */
export interface Repositories {
  /** A manifest by tag or digest. @throws MANIFEST_UNKNOWN, NAME_UNKNOWN */
  manifest(repository: string, reference: string): ManifestRecord;
  /** Undefined instead of an error. */
  findManifest(repository: string, reference: string): ManifestRecord | undefined;
  manifestBytes(digest: Digest): Promise<Buffer>;
  references(repository: string, digest: Digest): readonly ManifestReference[];
  /** Indexes of the repository that point at a manifest. */
  parents(repository: string, digest: Digest): readonly Digest[];
  /** Keeps a manifest and moves the tag, when `reference` is one. */
  putManifest(put: PutManifest): Promise<ManifestRecord>;
  /** Removes a manifest and its tags. @throws UNSUPPORTED for what a tagged index needs, unless `isForced` */
  deleteManifest(repository: string, digest: Digest, doer: Initiator, isForced?: boolean): Promise<void>;
  deleteTag(repository: string, tag: string, doer: Initiator): Promise<void>;
  /** Removes a tag and the manifests that nothing else leads to; these. */
  removeImage(repository: string, tag: string, doer: Initiator): Promise<readonly Digest[]>;
  referrers(repository: string, subject: Digest, artifactType?: string): readonly ReferrerDescriptor[];

  /** The size of a blob that may be read through `repository`. @throws BLOB_UNKNOWN */
  blobSize(repository: string, digest: Digest): number;
  /** As `blobSize`, for a client that is about to push: the blob is spared by garbage collection for the grace period. */
  claimBlob(repository: string, digest: Digest): number;
  /** True when the store really has what the records say: a file may have been lost behind our back. */
  isStored(digest: Digest): Promise<boolean>;
  readBlob(digest: Digest, range?: ByteRange): Promise<Readable>;
  localPath(digest: Digest): string | undefined;
  deleteBlob(repository: string, digest: Digest, doer: Initiator): Promise<void>;
  /** Makes a blob of `from` readable through `repository`; its size, or undefined when `from` has none such. `from` undefined: any. */
  mount(repository: string, digest: Digest, from: string | undefined, doer: Initiator): number | undefined;

  beginUpload(repository: string, doer: Initiator): Promise<Upload>;
  /** @throws BLOB_UPLOAD_UNKNOWN */
  upload(repository: string, id: string): Promise<Upload>;
  appendUpload(
    repository: string,
    id: string,
    source: AsyncIterable<Uint8Array>,
    append: Omit<Append, 'maxBytes'>,
  ): Promise<Upload>;
  /** @returns the blob's size */
  finishUpload(repository: string, id: string, digest: Digest, doer: Initiator): Promise<number>;
  abortUpload(repository: string, id: string): Promise<void>;
  /** Keeps a small blob whole, for the registry's own artifacts. */
  putBlob(repository: string, bytes: Buffer, doer: Initiator): Promise<Digest>;

  /** Tags in byte order. @throws NAME_UNKNOWN */
  tags(repository: string, page: Page): readonly string[];
  tagRecords(repository: string, page: Page): readonly TagRecord[];
  /** Last moved first. */
  newestTags(repository: string, limit: number): readonly TagRecord[];
  tagCount(repository: string): number;
  /** Tags that point at a manifest now. */
  tagsOf(repository: string, digest: Digest): readonly string[];
  /** Newest first; bounded by `limit`. */
  tagHistory(repository: string, tag: string, limit: number): readonly TagHistoryEntry[];
  /** Manifests of a repository by digest order. */
  manifests(repository: string, page: Page): readonly ManifestRecord[];
  repositories(page: Page): readonly string[];
  hasRepository(repository: string): boolean;
  /** Removes a repository with everything in it. */
  deleteRepository(repository: string, doer: Initiator): Promise<void>;

  /** Adds a listener; see EventListener for its duties. */
  listen(listener: EventListener): void;
  /** Tells of something that these verbs do not do themselves (pull, sign, scan). */
  publish(event: Parameters<EventListener>[0]): void;
  guard(guard: Guard): void;

  /** Collects garbage now; at most one at a time. Requests go on meanwhile. */
  collectGarbage(signal: AbortSignal): Promise<GarbageReport>;
  /** Compares store and records, all of them. Requests go on meanwhile. @throws what the store throws when it cannot be read at all */
  check(options: CheckOptions): Promise<CheckReport>;
}

/**
 * `missing`: the store lost it. `damaged`: its bytes are others. `size`: the records have a wrong size. `stray`: no record knows it.
 * `unlinked`: a manifest needs it, and its repository does not show it. `incomplete`: a manifest needs it, and it is nowhere.
 */
type FaultKind = 'missing' | 'damaged' | 'size' | 'stray' | 'unlinked' | 'incomplete';

export interface Fault {
  readonly kind: FaultKind;
  readonly digest: Digest;
  readonly detail: string;
  /** Some images that it hurts: `repository:tag` or `repository@digest`. */
  readonly hurts: readonly string[];
  /** `removed`: the damaged bytes are gone, and whoever pushes or mirrors it again heals it. */
  readonly outcome: 'found' | 'repaired' | 'removed';
}

export interface CheckOptions {
  readonly isRepair: boolean;
  readonly signal: AbortSignal;
  /** Content is looked at from after this digest on. */
  readonly after?: string | undefined;
  /** True for repositories whose content is fetched when it is asked for. */
  readonly isMirror: (repository: string) => boolean;
  readonly onFault: (fault: Fault) => void;
  /** After each blob; what it waits for, the check waits for. */
  readonly onStep?: ((step: CheckStep) => Promise<void> | void) | undefined;
}

/** How far a check of the content has come. */
export interface CheckStep {
  readonly digest: Digest;
  readonly blobs: number;
  readonly bytes: number;
}

export interface CheckReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly faults: number;
  /** Of these, those that were repaired or removed. */
  readonly mended: number;
}

export interface GarbageReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly uploads: number;
}

/** How much there is. */
export interface Inventory {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** Manifests' own bytes are not among them. */
  readonly blobs: number;
  readonly blobBytes: number;
  readonly uploads: number;
}
