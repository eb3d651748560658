// Owns the shapes of the image capability: its face, records and inputs. No behaviour.

import type { SearchRequest, SearchResult } from '../../remote/search.ts';
import type { RegistryCredentials } from '../../remote/types.ts';
import type { Digest } from '../../spec/digest.ts';
import type { ImageConfig } from '../../spec/docker/types.gen.ts';
import type { Platform } from '../../spec/platform.ts';

export type { RegistryCredentials, RegistryOptions } from '../../remote/types.ts';

/** One local image. `id` is the digest of its config JSON, whose bytes are kept in the blob store. */
export interface ImageRecord {
  readonly id: Digest;
  /** Familiar names with tag, e.g. `nginx:latest`, `127.0.0.1:5000/app:1`. */
  readonly repoTags: readonly string[];
  /** Familiar names with the manifest digest; only after a pull (or push). */
  readonly repoDigests: readonly string[];
  /** RFC 3339, from the config; '' when the config has none. */
  readonly created: string;
  readonly platform: Platform;
  readonly osVersion?: string | undefined;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  /** Sum of the unpacked layers' file sizes, bytes. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Uncompressed layer digests, base first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly ImageHistory[];
  /** RFC 3339: when a tag was last given to it; zero time when never. */
  readonly lastTagTime: string;
}

/** One line of an image config's history. */
interface ImageHistory {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** What a long image operation tells while it runs; the API renders it in Docker's progress form. */
export interface ImageProgress {
  /** Short layer id or tag that the line belongs to; absent for free lines. */
  readonly id?: string | undefined;
  /** Docker's words: `Pulling fs layer`, `Downloading`, `Extracting`, `Pull complete`, `Digest: …`, … */
  readonly status: string;
  /** Bytes; present while counting. */
  readonly current?: number | undefined;
  readonly total?: number | undefined;
  /** True on phase lines, which carry an empty `progressDetail`. */
  readonly phase?: boolean | undefined;
  /** For load: rendered as `{"stream": …}` instead of a status. */
  readonly stream?: string | undefined;
}

export type ReportProgress = (event: ImageProgress) => void;

export interface PullRequest {
  /** Name as the user gave it, with tag or digest, `latest` when neither and not `allTags`. */
  readonly reference: string;
  readonly allTags?: boolean | undefined;
  readonly platform?: Platform | undefined;
  readonly credentials?: RegistryCredentials | undefined;
}

export interface LoadOptions {
  /** Only images of this very platform; of several in an index the one that fits. */
  readonly platform?: Platform | undefined;
}

export interface SaveOptions {
  /** What the images must be of. */
  readonly platform?: Platform | undefined;
}

export interface ImportRequest {
  /** `repo[:tag]`, or undefined for an untagged image. */
  readonly reference?: string | undefined;
  /** Dockerfile instructions (`CMD ["sh"]`) applied to the config. */
  readonly changes: readonly string[];
  readonly message: string;
  readonly platform?: Platform | undefined;
}

export interface RemovedImagePart {
  readonly untagged?: string | undefined;
  readonly deleted?: string | undefined;
}

/** A stack of unpacked layers that stays on disk until released. */
export interface RootfsLease extends AsyncDisposable {
  /** Directory relative to which `lowerDirs` are given: short paths keep overlay's option page small. */
  readonly layersDir: string;
  /** Overlay lower directories relative to `layersDir`, topmost first; [] for an image without layers. */
  readonly lowerDirs: readonly string[];
}

/** Facts about other capabilities that images need: who uses an image. */
export interface ImageUsers {
  /** Containers made from `id`: removal is refused or forced by their state. */
  usersOf(id: Digest): readonly { readonly containerId: string; readonly running: boolean }[];
}

/** What reads images. */
export interface ImageReader {
  /** @throws NO_SUCH_IMAGE (notFound) with Docker's text; INVALID_REFERENCE (invalid). */
  get(ref: string): ImageRecord;
  list(): readonly ImageRecord[];
  /** True when `image` can run as `platform`. */
  matches(image: ImageRecord, platform: Platform): boolean;
  /** Absolute overlay lower directories as inspect shows them, topmost first; [] when not unpacked. */
  layerPaths(id: Digest): readonly string[];
  /** Sizes of the image's layers, base first, bytes. */
  layerSizes(id: Digest): readonly number[];
  /** What all layers take, and what images share. */
  usage(): ImagesUsage;
}

/** Where images come from, and where they go. */
interface ImageSources {
  pull(request: PullRequest, report: ReportProgress, signal: AbortSignal): Promise<ImageRecord>;
  /** Reads a docker-archive or OCI layout, plain or compressed. Resolves to the loaded references or ids. */
  load(
    archive: AsyncIterable<Uint8Array>,
    report: ReportProgress,
    signal: AbortSignal,
    options?: LoadOptions,
  ): Promise<readonly string[]>;
  /** Makes an image of one layer out of a root file system tar. */
  import(
    archive: AsyncIterable<Uint8Array>,
    request: ImportRequest,
    report: ReportProgress,
    signal: AbortSignal,
  ): Promise<ImageRecord>;
  /** A docker-archive + OCI layout of the named images as a byte stream. */
  save(refs: readonly string[], signal: AbortSignal, options?: SaveOptions): AsyncIterable<Uint8Array>;
  /** Checks a login against the registry. @throws UNAUTHORIZED. */
  login(
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<{ readonly status: string; readonly identityToken: string }>;
  /** Asks Docker Hub, or the registry that the term begins with. @throws BAD_TERM, BAD_ENDPOINT, REGISTRY_FAILED */
  search(request: ImageSearchRequest, signal: AbortSignal): Promise<readonly ImageSearchResult[]>;
}

/** What changes images, and keeps them. */
export interface ImageVerbs {
  tag(source: string, target: string): Promise<void>;
  remove(
    ref: string,
    options: { readonly force: boolean; readonly prune: boolean },
  ): Promise<readonly RemovedImagePart[]>;
  prune(
    filters: ImagePruneFilters,
  ): Promise<{ readonly removed: readonly RemovedImagePart[]; readonly reclaimedBytes: number }>;
  /** Holds the image's unpacked layers for a container; unpacks missing ones. */
  lease(id: Digest): Promise<RootfsLease>;
}

/** The image capability. Every `ref` is a name[:tag|@digest] or an id prefix. */
export interface Images extends ImageReader, ImageSources, ImageVerbs {}

/** How layers are shared. A layer counts once, however many images have it, and however often. */
export interface ImagesUsage {
  /** Of all layers together. */
  readonly layersBytes: number;
  /** Of the layers of an image that other images have too. */
  readonly sharedBytes: ReadonlyMap<Digest, number>;
}
export type ImageSearchRequest = Omit<SearchRequest, 'signal'>;
export type ImageSearchResult = SearchResult;

export interface ImagePruneFilters {
  readonly dangling: boolean;
  /** Unix seconds: only images created before. */
  readonly until?: number | undefined;
  readonly labels: readonly string[];
  readonly notLabels: readonly string[];
}
