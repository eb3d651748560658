// Owns the container calls of the Engine API: lists, records and settings here, the rest by theme in `container-*.ts`. No policy.
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  IDResponse,
} from '../spec/docker/types.gen.ts';
import { archiveCalls } from './container-archive.ts';
import { lifecycleCalls } from './container-lifecycle.ts';
import { streamCalls } from './container-streams.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** What to list; `limit` counts from the newest. */
interface ContainerListOptions {
  readonly all?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly size?: boolean | undefined;
  readonly filters?: Filters | undefined;
}

/** Methods by container id or name; every one throws ApiError with the daemon's text. */
export type ContainersClient = ReturnType<typeof createContainersClient>;

/** The container calls over `transport`. */
export function createContainersClient(transport: Transport) {
  return {
    ...recordCalls(transport),
    ...lifecycleCalls(transport),
    ...streamCalls(transport),
    ...archiveCalls(transport),
  };
}

function recordCalls(transport: Transport) {
  return {
    list: (options: ContainerListOptions = {}): Promise<readonly ContainerSummary[]> =>
      transport.json({
        route: 'containerList',
        query: {
          all: options.all || undefined,
          limit: options.limit,
          size: options.size || undefined,
          filters: filtersText(options.filters),
        },
      }),
    create: (
      body: ContainerCreateRequest,
      options: { readonly name?: string | undefined; readonly platform?: string | undefined } = {},
    ): Promise<ContainerCreateResponse> =>
      transport.json({
        route: 'containerCreate',
        query: { name: options.name || undefined, platform: options.platform || undefined },
        body,
      }),
    inspect: async (id: string): Promise<ContainerInspectResponse> =>
      transport.json({ route: 'containerInspect', name: id }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (id: string, options: { readonly size?: boolean } = {}): Promise<string> =>
      transport.text({
        route: 'containerInspect',
        name: id,
        query: { size: options.size || undefined },
      }),
    top: (id: string, psArgs?: string): Promise<ContainerTopResponse> =>
      transport.json({ route: 'containerTop', name: id, query: { ps_args: psArgs || undefined } }),
    update: (id: string, body: ContainerUpdateRequest): Promise<ContainerUpdateResponse> =>
      transport.json({ route: 'containerUpdate', name: id, body }),
    prune: (filters?: Filters): Promise<ReplyOf<'containerPrune'>> =>
      transport.json({ route: 'containerPrune', query: { filters: filtersText(filters) } }),
    commit: (query: Readonly<Record<string, string | readonly string[] | undefined>>): Promise<IDResponse> =>
      transport.json({ route: 'containerCommit', query, body: null }),
  };
}
