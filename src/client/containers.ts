// Owns the container calls of the Engine API: lists, records and settings here, the rest by theme in `container-*.ts`. No policy.
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
import { encode } from './call.ts';
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

/** What a prune gave back. */
interface ContainersPruned {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
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
    list: (options: ContainerListOptions = {}): Promise<ContainerSummary[]> =>
      transport.json({
        method: 'GET',
        path: '/containers/json',
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
        method: 'POST',
        path: '/containers/create',
        query: { name: options.name || undefined, platform: options.platform || undefined },
        body,
      }),
    inspect: async (id: string): Promise<ContainerInspectResponse> =>
      transport.json({ method: 'GET', path: `/containers/${encode(id)}/json` }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (id: string, options: { readonly size?: boolean } = {}): Promise<string> =>
      transport.text({
        method: 'GET',
        path: `/containers/${encode(id)}/json`,
        query: { size: options.size || undefined },
      }),
    top: (id: string, psArgs?: string): Promise<ContainerTopResponse> =>
      transport.json({ method: 'GET', path: `/containers/${encode(id)}/top`, query: { ps_args: psArgs || undefined } }),
    update: (id: string, body: ContainerUpdateRequest): Promise<ContainerUpdateResponse> =>
      transport.json({ method: 'POST', path: `/containers/${encode(id)}/update`, body }),
    prune: (filters?: Filters): Promise<ContainersPruned> =>
      transport.json({ method: 'POST', path: '/containers/prune', query: { filters: filtersText(filters) } }),
    commit: (query: Readonly<Record<string, string | readonly string[] | undefined>>): Promise<IDResponse> =>
      transport.json({ method: 'POST', path: '/commit', query, body: null }),
  };
}
