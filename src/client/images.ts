// Owns the image calls of the Engine API: lists, records and names here, content in `image-content.ts`. No policy.
import type { ImageDeleteResponseItem, ImageSummary } from '../spec/docker/types.gen.ts';
import { encode } from './call.ts';
import { imageContentCalls } from './image-content.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** What a prune gave back. */
interface ImagesPruned {
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
  return { ...imageRecordCalls(transport), ...imageContentCalls(transport) };
}

function imageRecordCalls(transport: Transport) {
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
