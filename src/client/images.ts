// Owns the image calls of the Engine API, and the progress messages they stream.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { ImageDeleteResponseItem, ImageSummary } from '../spec/docker/types.gen.ts';
import { encode } from './containers.ts';
import { type Filters, filtersText, jsonLines } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** One line of a progress stream. @source Engine API, JSONMessage */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number; readonly units?: string } | null;
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
  readonly aux?: unknown;
  readonly time?: number;
  readonly timeNano?: number;
}

/** A stream of progress; an `error` message ends a failed operation, the HTTP status stays 200. */
export type ProgressStream = AsyncGenerator<ProgressMessage, void, undefined>;

/** What to pull. `registryAuth` is the ready X-Registry-Auth value. */
export interface ImagePullOptions {
  readonly tag?: string | undefined;
  readonly platform?: string | undefined;
  readonly registryAuth?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a prune gave back. */
export interface ImagesPruned {
  readonly ImagesDeleted?: readonly ImageDeleteResponseItem[] | null;
  readonly SpaceReclaimed?: number;
}

/** One entry of an image's history. */
export interface ImageHistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** One find of a search. @source Engine API, GET /images/search */
export interface ImageSearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

/** Methods by image name or id. */
export type ImagesClient = ReturnType<typeof createImagesClient>;

/** The image calls over `transport`. */
export function createImagesClient(transport: Transport) {
  return {
    list: (options: { readonly all?: boolean; readonly filters?: Filters } = {}): Promise<ImageSummary[]> =>
      transport.json({
        method: 'GET',
        path: '/images/json',
        query: { all: options.all || undefined, filters: filtersText(options.filters) },
      }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string, options: { readonly platform?: string } = {}): Promise<string> =>
      transport.text({
        method: 'GET',
        path: `/images/${encode(name)}/json`,
        query: { platform: options.platform || undefined },
      }),
    history: (name: string, options: { readonly platform?: string } = {}): Promise<ImageHistoryItem[]> =>
      transport.json({
        method: 'GET',
        path: `/images/${encode(name)}/history`,
        query: { platform: options.platform || undefined },
      }),
    search: (
      term: string,
      options: {
        readonly limit?: number | undefined;
        readonly filters?: Filters | undefined;
        readonly registryAuth: string;
      },
    ): Promise<ImageSearchResult[]> =>
      transport.json({
        method: 'GET',
        path: '/images/search',
        query: { term, limit: options.limit || undefined, filters: filtersText(options.filters) },
        headers: { 'X-Registry-Auth': options.registryAuth },
      }),
    pull: async (fromImage: string, options: ImagePullOptions = {}): Promise<ProgressStream> =>
      jsonLines<ProgressMessage>(
        await transport.open({
          method: 'POST',
          path: '/images/create',
          query: { fromImage, platform: options.platform || undefined, tag: options.tag || undefined },
          headers: options.registryAuth === undefined ? {} : { 'X-Registry-Auth': options.registryAuth },
          signal: options.signal,
        }),
      ),
    push: async (name: string, options: ImagePullOptions): Promise<ProgressStream> =>
      jsonLines<ProgressMessage>(
        await transport.open({
          method: 'POST',
          path: `/images/${encode(name)}/push`,
          query: { tag: options.tag || undefined, platform: options.platform || undefined },
          headers: { 'X-Registry-Auth': options.registryAuth ?? '' },
          signal: options.signal,
        }),
      ),
    /** Makes an image of a tar: `source` is a stream, or a URL the daemon reads. */
    importTar: async (
      source: Readable | string,
      query: {
        readonly repo?: string | undefined;
        readonly tag?: string | undefined;
        readonly message?: string | undefined;
        readonly changes?: readonly string[] | undefined;
        readonly platform?: string | undefined;
      },
    ): Promise<ProgressStream> =>
      jsonLines<ProgressMessage>(
        await transport.open({
          method: 'POST',
          path: '/images/create',
          query: { ...query, fromSrc: typeof source === 'string' ? source : '-' },
          ...(typeof source === 'string' ? {} : { stream: source, contentType: 'text/plain' }),
        }),
      ),
    /** Loads a saved tar. */
    load: async (
      source: Readable,
      options: { readonly quiet: boolean; readonly platform?: string | undefined },
    ): Promise<ProgressStream> =>
      jsonLines<ProgressMessage>(
        await transport.open({
          method: 'POST',
          path: '/images/load',
          query: { quiet: options.quiet, platform: options.platform || undefined },
          stream: source,
          contentType: 'application/x-tar',
        }),
      ),
    /** The named images as one tar stream. */
    save: (names: readonly string[], platform?: string): Promise<IncomingMessage> =>
      transport.open({ method: 'GET', path: '/images/get', query: { names, platform: platform || undefined } }),
    tag: (source: string, repo: string, tag: string): Promise<void> =>
      transport.done({ method: 'POST', path: `/images/${encode(source)}/tag`, query: { repo, tag } }),
    remove: (
      name: string,
      options: { readonly force?: boolean; readonly noPrune?: boolean; readonly platforms?: readonly string[] } = {},
    ): Promise<ImageDeleteResponseItem[]> =>
      transport.json({
        method: 'DELETE',
        path: `/images/${encode(name)}`,
        query: {
          force: options.force || undefined,
          noprune: options.noPrune || undefined,
          platforms: options.platforms,
        },
      }),
    prune: (filters?: Filters): Promise<ImagesPruned> =>
      transport.json({ method: 'POST', path: '/images/prune', query: { filters: filtersText(filters) } }),
  };
}
