// Owns the calls about the daemon itself: version, info, login check, events, disk usage.
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type { AuthConfig, EventMessage, SystemInfo, SystemVersion } from '../spec/docker/types.gen.ts';
import type { PingFacts } from './answer.ts';
import { parseExactJson } from './exact-json.ts';
import { type Filters, filtersText, jsonLines } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Which events; times are Docker's (`seconds[.nanos]`). */
export interface EventsOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filters?: Filters | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An event; its nanoseconds need more than 53 bits. */
export type DaemonEvent = Omit<EventMessage, 'timeNano'> & { readonly timeNano?: number | bigint };

/** Objects of swarms and plugins, as `inspect` names them. */
export type ForeignKind = 'config' | 'node' | 'plugin' | 'secret' | 'service' | 'task';

/** Methods about the daemon. */
export type SystemClient = ReturnType<typeof createSystemClient>;

/** The system calls over `transport`. */
export function createSystemClient(transport: Transport) {
  return {
    ping: (): Promise<PingFacts> => transport.ping(),
    version: (): Promise<SystemVersion> => transport.json({ route: 'version' }),
    info: (): Promise<SystemInfo> => transport.json({ route: 'info' }),
    diskUsage: (): Promise<ReplyOf<'diskUsage'>> => transport.json({ route: 'diskUsage' }),
    pruneBuildCache: (options: { readonly all: boolean; readonly filters?: Filters }): Promise<ReplyOf<'buildPrune'>> =>
      transport.json({
        route: 'buildPrune',
        query: { all: options.all || undefined, filters: filtersText(options.filters) ?? '' },
      }),
    /** The answer's text as the daemon wrote it. */
    inspectText: (kind: ForeignKind, name: string): Promise<string> =>
      transport.text({ route: `${kind}Inspect`, name }),
    login: (body: AuthConfig & { readonly identitytoken?: string }): Promise<ReplyOf<'auth'>> =>
      transport.json({ route: 'auth', body }),
  };
}

/** The event stream: resolves once the daemon listens, then yields until `until`, the signal, or the daemon's end. */
export async function openEvents(
  transport: Transport,
  options: EventsOptions = {},
): Promise<AsyncGenerator<DaemonEvent, void, undefined>> {
  const { body } = await transport.open({
    route: 'events',
    query: {
      filters: filtersText(options.filters),
      since: options.since || undefined,
      until: options.until || undefined,
    },
    signal: options.signal,
  });
  return jsonLines<DaemonEvent>(body, parseExactJson);
}
