// Owns the calls about the daemon itself: version, info, login check, events, disk usage.
import type {
  AuthConfig,
  BuildCache,
  ContainerSummary,
  EventMessage,
  ImageSummary,
  SystemInfo,
  SystemVersion,
  Volume,
} from '../spec/docker/types.gen.ts';
import type { PingFacts } from './answer.ts';
import { encode } from './call.ts';
import { parseExactJson } from './exact-json.ts';
import { type Filters, filtersText, jsonLines } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** The daemon's answer to a check of credentials. */
export interface LoginAnswer {
  readonly Status?: string;
  readonly IdentityToken?: string;
}

/** Which events; times are Docker's (`seconds[.nanos]`). */
export interface EventsOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filters?: Filters | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An event; its nanoseconds need more than 53 bits. */
export type DaemonEvent = Omit<EventMessage, 'timeNano'> & { readonly timeNano?: number | bigint };

/** What takes how much space. @source Engine API, GET /system/df */
export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?: readonly BuildCache[] | null;
}

/** What a prune of the build cache gave back. */
export interface BuildCachePruned {
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

/** Objects of swarms and plugins, as `inspect` names them. */
export type ForeignKind = 'config' | 'node' | 'plugin' | 'secret' | 'service' | 'task';

/** Methods about the daemon. */
export type SystemClient = ReturnType<typeof createSystemClient>;

/** The system calls over `transport`. */
export function createSystemClient(transport: Transport) {
  return {
    ping: (): Promise<PingFacts> => transport.ping(),
    version: (): Promise<SystemVersion> => transport.json({ method: 'GET', path: '/version' }),
    info: (): Promise<SystemInfo> => transport.json({ method: 'GET', path: '/info' }),
    diskUsage: (): Promise<DiskUsage> => transport.json({ method: 'GET', path: '/system/df' }),
    pruneBuildCache: (options: { readonly all: boolean; readonly filters?: Filters }): Promise<BuildCachePruned> =>
      transport.json({
        method: 'POST',
        path: '/build/prune',
        query: { all: options.all || undefined, filters: filtersText(options.filters) ?? '' },
      }),
    /** The answer's text as the daemon wrote it. */
    inspectText: (kind: ForeignKind, name: string): Promise<string> =>
      transport.text({ method: 'GET', path: `/${kind}s/${encode(name)}${kind === 'plugin' ? '/json' : ''}` }),
    login: (body: AuthConfig & { readonly identitytoken?: string }): Promise<LoginAnswer> =>
      transport.json({ method: 'POST', path: '/auth', body }),
  };
}

/** The event stream: resolves once the daemon listens, then yields until `until`, the signal, or the daemon's end. */
export async function openEvents(
  transport: Transport,
  options: EventsOptions = {},
): Promise<AsyncGenerator<DaemonEvent, void, undefined>> {
  const { body } = await transport.open({
    method: 'GET',
    path: '/events',
    query: {
      filters: filtersText(options.filters),
      since: options.since || undefined,
      until: options.until || undefined,
    },
    signal: options.signal,
  });
  return jsonLines<DaemonEvent>(body, parseExactJson);
}
