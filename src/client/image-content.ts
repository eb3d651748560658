// Owns the image calls of the Engine API that move content: pull, push, import, load and save, and their progress messages.
import type { Readable } from 'node:stream';
import type { Call } from './call.ts';
import { jsonLines } from './json-lines.ts';
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

/** The calls that move the content of images. */
export function imageContentCalls(transport: Transport) {
  const progress = async (call: Call): Promise<ProgressStream> =>
    jsonLines<ProgressMessage>((await transport.open(call)).body);
  return {
    pull: (fromImage: string, options: ImagePullOptions = {}): Promise<ProgressStream> =>
      progress({
        route: 'imageCreate',
        query: { fromImage, platform: options.platform || undefined, tag: options.tag || undefined },
        headers: options.registryAuth === undefined ? {} : { 'X-Registry-Auth': options.registryAuth },
        signal: options.signal,
      }),
    push: (name: string, options: ImagePullOptions): Promise<ProgressStream> =>
      progress({
        route: 'imagePush',
        name: name,
        query: { tag: options.tag || undefined, platform: options.platform || undefined },
        headers: { 'X-Registry-Auth': options.registryAuth ?? '' },
        signal: options.signal,
      }),
    /** Makes an image of a tar: `source` is a stream, or a URL the daemon reads. */
    importTar: (
      source: Readable | string,
      query: {
        readonly repo?: string | undefined;
        readonly tag?: string | undefined;
        readonly message?: string | undefined;
        readonly changes?: readonly string[] | undefined;
        readonly platform?: string | undefined;
      },
    ): Promise<ProgressStream> =>
      progress({
        route: 'imageCreate',
        query: { ...query, fromSrc: typeof source === 'string' ? source : '-' },
        ...(typeof source === 'string' ? {} : { stream: source, contentType: 'text/plain' }),
      }),
    /** Loads a saved tar. */
    load: (
      source: Readable,
      options: { readonly quiet: boolean; readonly platform?: string | undefined },
    ): Promise<ProgressStream> =>
      progress({
        route: 'imageLoad',
        query: { quiet: options.quiet, platform: options.platform || undefined },
        stream: source,
        contentType: 'application/x-tar',
      }),
    /** The named images as one tar stream. */
    save: (names: readonly string[], platform?: string): Promise<Readable> =>
      transport.stream({ route: 'imageSaveMany', query: { names, platform: platform || undefined } }),
  };
}
