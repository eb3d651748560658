// Owns the face of repositories: their records, and the verbs on manifests, tags, blobs and uploads. No HTTP, no access control.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';
import type { Append, ByteRange } from '../storage/types.ts';
import type { Actor, EventListener, RegistryEvent, RequestFacts } from '../types.ts';

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

/** What searches and pages show of a manifest, read from its configuration at the push. */
export interface ManifestSummary {
  /** `os/architecture[/variant]`; of an index those of its entries. */
  readonly platforms: readonly string[];
  /** The image's labels; of an index those of the first entry that has any. */
  readonly labels: Readonly<Record<string, string>>;
  /** The build time that the image states, Unix milliseconds. */
  readonly createdAtMs?: number | undefined;
  /** Configuration and layers together; of an index, those of its entries that are stored here. */
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

/** One page of a sorted list. `after` is exclusive; `limit` is the largest number of entries. */
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
  /** Allows references to missing content: a pull-through cache fetches it on demand. */
  readonly isPartial?: boolean | undefined;
}

export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly sizeBytes: number;
}

/** A rule of another part (policies, immutable tags). It refuses by throwing a GantryError of kind `forbidden`. */
export interface Guard {
  /** Before a manifest becomes visible, or a tag moves. `previous` is what the tag points to now. */
  beforePut?(put: PutManifest, digest: Digest, previous: Digest | undefined): Promise<void>;
  /** Before a tag or manifest is deleted. */
  beforeDelete?(repository: string, what: { readonly tag: string } | { readonly digest: Digest }): void;
}

// The verbs below throw GantryError with the specification's code: NAME_UNKNOWN, MANIFEST_UNKNOWN, BLOB_UNKNOWN, BLOB_UPLOAD_UNKNOWN,
// MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID, SIZE_INVALID, RANGE_INVALID, DENIED. The caller checks names against the
// grammar of `src/spec/oci/names.ts`. A consumer asks for the interfaces that it uses, as an intersection.

/** Reads manifests and what they refer to. */
export interface ManifestReader {
  /** A manifest by tag or digest. @throws MANIFEST_UNKNOWN, NAME_UNKNOWN */
  manifest(repository: string, reference: string): ManifestRecord;
  /** As `manifest`, but undefined instead of an error. */
  findManifest(repository: string, reference: string): ManifestRecord | undefined;
  manifestBytes(digest: Digest): Promise<Buffer>;
  references(repository: string, digest: Digest): readonly ManifestReference[];
  /** Indexes of the repository that contain a manifest. */
  parents(repository: string, digest: Digest): readonly Digest[];
  referrers(repository: string, subject: Digest, artifactType?: string): readonly ReferrerDescriptor[];
}

/** Adds manifests. */
export interface ManifestWriter {
  /** Stores a manifest, and moves the tag when `reference` is a tag. */
  putManifest(put: PutManifest): Promise<ManifestRecord>;
}

/** Reads tags, their order and their history. */
export interface TagReader {
  /** Tags in byte order. @throws NAME_UNKNOWN */
  tags(repository: string, page: Page): readonly string[];
  /** As `tags`, with the records. @throws NAME_UNKNOWN */
  tagRecords(repository: string, page: Page): readonly TagRecord[];
  /** The most recently moved tag first. */
  newestTags(repository: string, limit: number): readonly TagRecord[];
  tagCount(repository: string): number;
  /** Tags that point at a manifest now. */
  tagsOf(repository: string, digest: Digest): readonly string[];
  /** Newest entry first, at most `limit`. */
  tagHistory(repository: string, tag: string, limit: number): readonly TagHistoryEntry[];
}

/** Reads which repositories there are, and how much they hold. */
export interface RepositoryReader {
  /** Repositories that hold a manifest, in byte order. */
  repositories(page: Page): readonly string[];
  hasRepository(repository: string): boolean;
  /** Manifests of a repository in the order of their digests. @throws NAME_UNKNOWN */
  manifests(repository: string, page: Page): readonly ManifestRecord[];
  inventory(): Inventory;
}

/** Reads blobs. */
export interface BlobReader {
  /** The size of a blob that may be read through `repository`. @throws BLOB_UNKNOWN */
  blobSize(repository: string, digest: Digest): number;
  /** True when the store has the blob in the recorded size: a file may be lost without the registry's knowledge. */
  isStored(digest: Digest): Promise<boolean>;
  readBlob(digest: Digest, range?: ByteRange): Promise<Readable>;
  /** The blob's file, or undefined when the store does not keep blobs as local files. */
  localPath(digest: Digest): string | undefined;
}

/** Adds blobs to a repository without an upload. */
export interface BlobWriter {
  /** As `blobSize`, for a client that is about to push: renews the blob's claim. */
  claimBlob(repository: string, digest: Digest): number;
  /** Makes a blob of `from` (undefined: of any repository) readable through `repository`; its size, or undefined when there is none. */
  mount(repository: string, digest: Digest, from: string | undefined, doer: Initiator): number | undefined;
  /** Stores a small blob from memory, for the registry's own artifacts. */
  putBlob(repository: string, bytes: Buffer, doer: Initiator): Promise<Digest>;
}

/** Uploads of blobs in parts. */
export interface Uploads {
  beginUpload(repository: string): Promise<Upload>;
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
}

/** Deletes. Garbage collection frees the space afterwards. */
export interface Deleter {
  /** Removes a manifest and its tags. @throws UNSUPPORTED for what a tagged index needs, unless `isForced` */
  deleteManifest(repository: string, digest: Digest, doer: Initiator, isForced?: boolean): Promise<void>;
  deleteTag(repository: string, tag: string, doer: Initiator): Promise<void>;
  /** Removes a tag and the manifests that become unreachable; returns these. */
  removeImage(repository: string, tag: string, doer: Initiator): Promise<readonly Digest[]>;
  deleteBlob(repository: string, digest: Digest, doer: Initiator): Promise<void>;
  /** Removes a repository with everything in it. */
  deleteRepository(repository: string, doer: Initiator): Promise<void>;
}

/** Publishes events of other parts. */
export interface Publisher {
  /** Publishes an event that these verbs do not cause themselves: pull, sign, scan. */
  publish(event: RegistryEvent): void;
}

/** Where other parts hook into the verbs. */
export interface Hooks {
  /** Adds a listener of events; see EventListener for its duties. */
  listen(listener: EventListener): void;
  guard(guard: Guard): void;
  /** Adds a listener that is called after a delete, when a collection may free something. */
  onGarbage(listener: () => void): void;
}

/** Frees space. */
export interface GarbageCollector {
  /** Collects garbage now. One collection runs at a time: a second call joins it. Requests are served meanwhile. */
  collectGarbage(signal: AbortSignal): Promise<GarbageReport>;
  /** Removes stored blobs without a record; returns how many. Run once after a start. Requests are served meanwhile. */
  removeStrays(signal: AbortSignal): Promise<number>;
  /** The sum of all collections since the start. */
  collected(): GarbageReport;
}

/** Verifies. */
export interface StoreChecker {
  /** Compares all of the store with all records. Requests are served meanwhile. @throws the store's error when it cannot be read at all */
  check(options: CheckOptions): Promise<CheckReport>;
}

/** Reads everything. */
type Reader = ManifestReader & TagReader & RepositoryReader & BlobReader;
/** Changes everything. */
type Writer = ManifestWriter & BlobWriter & Uploads & Deleter;
/** All of repositories, for the place that wires the registry. */
export type Repositories = Reader & Writer & Publisher & Hooks & GarbageCollector & StoreChecker;

/**
 * `missing`: not in the store. `damaged`: its bytes do not match its digest. `size`: the recorded size is wrong. `stray`: stored without
 * a record. `unlinked`: a manifest refers to it, but it cannot be read through the repository. `incomplete`: referred to, but stored nowhere.
 */
type FaultKind = 'missing' | 'damaged' | 'size' | 'stray' | 'unlinked' | 'incomplete';

export interface Fault {
  readonly kind: FaultKind;
  readonly digest: Digest;
  readonly detail: string;
  /** Some of the affected images: `repository:tag` or `repository@digest`. */
  readonly hurts: readonly string[];
  /** `removed`: the damaged bytes were deleted; a new push or mirror restores the blob. */
  readonly outcome: 'found' | 'repaired' | 'removed';
}

export interface CheckOptions {
  readonly isRepair: boolean;
  readonly signal: AbortSignal;
  /** Skips content up to this digest. */
  readonly after?: string | undefined;
  /** True for repositories whose content is fetched on demand. */
  readonly isMirror: (repository: string) => boolean;
  readonly onFault: (fault: Fault) => void;
  /** Called after each blob. The check waits for its promise. */
  readonly onStep?: ((step: CheckStep) => Promise<void> | void) | undefined;
}

/** The progress of a check. */
export interface CheckStep {
  readonly digest: Digest;
  readonly blobs: number;
  readonly bytes: number;
}

export interface CheckReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly faults: number;
  /** How many of them were repaired or removed. */
  readonly mended: number;
}

export interface GarbageReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly uploads: number;
}

/** The number of things stored. */
export interface Inventory {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** With the manifests: each is stored as a blob. */
  readonly blobs: number;
  readonly blobBytes: number;
  readonly uploads: number;
}
