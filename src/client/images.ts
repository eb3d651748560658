// Owns the image calls of the Engine API: lists, records and names here, content in `image-content.ts`. No policy.
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type { ImageDeleteResponseItem, ImageSummary } from '../spec/docker/types.gen.ts';
import { imageContentCalls } from './image-content.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Methods by image name or id. */
export type ImagesClient = ReturnType<typeof createImagesClient>;

/** The image calls over `transport`. */
export function createImagesClient(transport: Transport) {
  return { ...imageRecordCalls(transport), ...imageContentCalls(transport) };
}

function imageRecordCalls(transport: Transport) {
  return {
    list: (options: { readonly all?: boolean; readonly filters?: Filters } = {}): Promise<readonly ImageSummary[]> =>
      transport.json({
        route: 'imageList',
        query: { all: options.all || undefined, filters: filtersText(options.filters) },
      }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string, options: { readonly platform?: string } = {}): Promise<string> =>
      transport.text({
        route: 'imageInspect',
        name: name,
        query: { platform: options.platform || undefined },
      }),
    history: (name: string, options: { readonly platform?: string } = {}): Promise<ReplyOf<'imageHistory'>> =>
      transport.json({
        route: 'imageHistory',
        name: name,
        query: { platform: options.platform || undefined },
      }),
    search: (
      term: string,
      options: {
        readonly limit?: number | undefined;
        readonly filters?: Filters | undefined;
        readonly registryAuth: string;
      },
    ): Promise<ReplyOf<'imageSearch'>> =>
      transport.json({
        route: 'imageSearch',
        query: { term, limit: options.limit || undefined, filters: filtersText(options.filters) },
        headers: { 'X-Registry-Auth': options.registryAuth },
      }),
    tag: (source: string, repo: string, tag: string): Promise<void> =>
      transport.done({ route: 'imageTag', name: source, query: { repo, tag } }),
    remove: (
      name: string,
      options: { readonly force?: boolean; readonly noPrune?: boolean; readonly platforms?: readonly string[] } = {},
    ): Promise<readonly ImageDeleteResponseItem[]> =>
      transport.json({
        route: 'imageRemove',
        name: name,
        query: {
          force: options.force || undefined,
          noprune: options.noPrune || undefined,
          platforms: options.platforms,
        },
      }),
    prune: (filters?: Filters): Promise<ReplyOf<'imagePrune'>> =>
      transport.json({ route: 'imagePrune', query: { filters: filtersText(filters) } }),
  };
}
