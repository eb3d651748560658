// Owns the container calls of the Engine API. One method an endpoint, no policy.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  FilesystemChange,
  IDResponse,
} from '../spec/docker/types.gen.ts';
import { type Filters, filtersText, jsonLines } from './json-lines.ts';
import type { Hijacked, Transport } from './transport.ts';

/** What to list; `limit` counts from the newest. */
export interface ContainerListOptions {
  readonly all?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly size?: boolean | undefined;
  readonly filters?: Filters | undefined;
}

/** Which streams to take over; times are Docker's (`seconds[.nanos]`). */
export interface ContainerAttachOptions {
  readonly stream?: boolean | undefined;
  readonly stdin?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  readonly logs?: boolean | undefined;
  readonly detachKeys?: string | undefined;
}

/** Which log lines; `since` and `until` are `seconds[.nanos]`, `tail` a count or `all`. */
export interface ContainerLogsOptions {
  readonly follow?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timestamps?: boolean | undefined;
  readonly details?: boolean | undefined;
  readonly tail?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `wait` waits for. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** What a prune gave back. */
export interface ContainersPruned {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

/** What a path in a container is. @source Engine API, header X-Docker-Container-Path-Stat */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** In Go's form. @source io/fs FileMode */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** Methods by container id or name; every one throws ApiError with the daemon's text. */
export type ContainersClient = ReturnType<typeof createContainersClient>;

/** The container calls over `transport`. */
export function createContainersClient(transport: Transport) {
  const act = (id: string, verb: string, query?: Record<string, string | number | undefined>): Promise<void> =>
    transport.done({ method: 'POST', path: `/containers/${encode(id)}/${verb}`, query });
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
    start: (id: string): Promise<void> => ignoreNotModified(act(id, 'start')),
    stop: (id: string, options: StopOptions = {}): Promise<void> =>
      ignoreNotModified(act(id, 'stop', { signal: options.signal || undefined, t: options.timeoutSeconds })),
    restart: (id: string, options: StopOptions = {}): Promise<void> =>
      act(id, 'restart', { signal: options.signal || undefined, t: options.timeoutSeconds }),
    kill: (id: string, signal?: string): Promise<void> => act(id, 'kill', { signal: signal || undefined }),
    pause: (id: string): Promise<void> => act(id, 'pause'),
    unpause: (id: string): Promise<void> => act(id, 'unpause'),
    rename: (id: string, name: string): Promise<void> => act(id, 'rename', { name }),
    resize: (id: string, size: TerminalSize): Promise<void> => act(id, 'resize', { h: size.rows, w: size.columns }),
    remove: (
      id: string,
      options: { readonly volumes?: boolean; readonly link?: boolean; readonly force?: boolean } = {},
    ): Promise<void> =>
      transport.done({
        method: 'DELETE',
        path: `/containers/${encode(id)}`,
        query: { force: options.force || undefined, link: options.link || undefined, v: options.volumes || undefined },
      }),
    /**
     * Resolves when the daemon has begun to wait (its headers came); `exit` then settles with the answer.
     * Starting the container between the two loses no exit.
     */
    wait: async (
      id: string,
      condition?: WaitCondition,
      signal?: AbortSignal,
    ): Promise<{ readonly exit: Promise<ContainerWaitResponse> }> => {
      const response = await transport.open({
        method: 'POST',
        path: `/containers/${encode(id)}/wait`,
        query: { condition },
        signal,
      });
      const exit = firstValue<ContainerWaitResponse>(response);
      exit.catch(() => {});
      return { exit };
    },
    attach: (id: string, options: ContainerAttachOptions, signal?: AbortSignal): Promise<Hijacked> =>
      transport.hijack({
        method: 'POST',
        path: `/containers/${encode(id)}/attach`,
        query: {
          detachKeys: options.detachKeys || undefined,
          logs: options.logs || undefined,
          stderr: options.stderr || undefined,
          stdin: options.stdin || undefined,
          stdout: options.stdout || undefined,
          stream: options.stream || undefined,
        },
        signal,
      }),
    /** The log stream: raw with a terminal, framed without. */
    logs: (id: string, options: ContainerLogsOptions): Promise<Readable> =>
      transport.open({
        method: 'GET',
        path: `/containers/${encode(id)}/logs`,
        query: {
          details: options.details || undefined,
          follow: options.follow || undefined,
          since: options.since || undefined,
          stderr: options.stderr || undefined,
          stdout: options.stdout || undefined,
          tail: options.tail || undefined,
          timestamps: options.timestamps || undefined,
          until: options.until || undefined,
        },
        signal: options.signal,
      }),
    top: (id: string, psArgs?: string): Promise<ContainerTopResponse> =>
      transport.json({ method: 'GET', path: `/containers/${encode(id)}/top`, query: { ps_args: psArgs || undefined } }),
    changes: (id: string): Promise<FilesystemChange[] | null> =>
      transport.json({ method: 'GET', path: `/containers/${encode(id)}/changes` }),
    /** What `path` in the container is; a link at its end is not followed. */
    statPath: async (id: string, path: string): Promise<PathStat> => {
      const call = { method: 'HEAD', path: `/containers/${encode(id)}/archive`, query: { path } } as const;
      const response = await transport.open(call);
      response.resume();
      return pathStatOf(response);
    },
    /** What `path` is, and a tar of it. Destroying the archive ends the copy. */
    readArchive: async (id: string, path: string): Promise<{ readonly stat: PathStat; readonly archive: Readable }> => {
      const call = { method: 'GET', path: `/containers/${encode(id)}/archive`, query: { path } } as const;
      const response = await transport.open(call);
      return { stat: pathStatOf(response), archive: response };
    },
    /** Extracts a tar in the folder `path`; never puts a folder over something else, or something else over a folder. */
    writeArchive: (
      id: string,
      path: string,
      archive: Readable,
      options: { readonly copyUidGid?: boolean } = {},
    ): Promise<void> =>
      transport.done({
        method: 'PUT',
        path: `/containers/${encode(id)}/archive`,
        query: { path, noOverwriteDirNonDir: 'true', copyUIDGID: options.copyUidGid ? 'true' : undefined },
        stream: archive,
        contentType: 'application/x-tar',
      }),
    /** The container's file system as a tar stream. */
    exportTar: (id: string): Promise<Readable> =>
      transport.open({ method: 'GET', path: `/containers/${encode(id)}/export` }),
    update: (id: string, body: ContainerUpdateRequest): Promise<ContainerUpdateResponse> =>
      transport.json({ method: 'POST', path: `/containers/${encode(id)}/update`, body }),
    stats: async function* (
      id: string,
      options: { readonly stream: boolean; readonly signal?: AbortSignal },
    ): AsyncGenerator<ContainerStatsResponse> {
      yield* jsonLines<ContainerStatsResponse>(
        await transport.open({
          method: 'GET',
          path: `/containers/${encode(id)}/stats`,
          query: { stream: options.stream },
          signal: options.signal,
        }),
      );
    },
    prune: (filters?: Filters): Promise<ContainersPruned> =>
      transport.json({ method: 'POST', path: '/containers/prune', query: { filters: filtersText(filters) } }),
    commit: (query: Readonly<Record<string, string | readonly string[] | undefined>>): Promise<IDResponse> =>
      transport.json({ method: 'POST', path: '/commit', query, body: null }),
  };
}

/** How to stop: a signal name or number, and seconds until the kill (-1 for ever). */
export interface StopOptions {
  readonly signal?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** A terminal's size in character cells. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** @throws Error when the daemon did not send what it must */
function pathStatOf(response: IncomingMessage): PathStat {
  const header = String(response.headers['x-docker-container-path-stat'] ?? '');
  try {
    const { name, size, mode, mtime, linkTarget } = JSON.parse(Buffer.from(header, 'base64').toString()) as PathStat;
    return { name, size: Number(size), mode: Number(mode), mtime, linkTarget: String(linkTarget ?? '') };
  } catch (cause) {
    response.destroy();
    throw new Error('unable to get resource stat from response', { cause });
  }
}

/** An id or name as a path part; image names keep their slashes readable. */
export function encode(id: string): string {
  return encodeURIComponent(id).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
}

/** Starting what runs, or stopping what stands, is no failure. */
async function ignoreNotModified(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error && 'status' in error && error.status === 304)) throw error;
  }
}

async function firstValue<T>(stream: AsyncIterable<Buffer>): Promise<T> {
  for await (const value of jsonLines<T>(stream)) return value;
  throw new Error('the daemon ended the wait without an answer');
}
