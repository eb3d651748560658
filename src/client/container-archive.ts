// Owns the container calls of the Engine API about its files: what a path is, tar archives in and out. One method an endpoint.
import type { Readable } from 'node:stream';
import type { FilesystemChange } from '../spec/docker/types.gen.ts';
import { streamOf } from './answer.ts';
import type { AnswerHeaders } from './sender.ts';
import type { Transport } from './transport.ts';

/** What a path in a container is. @source Engine API, header X-Docker-Container-Path-Stat */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** In Go's form. @source io/fs FileMode */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** The calls about the files of a container. */
export function archiveCalls(transport: Transport) {
  return {
    changes: (id: string): Promise<FilesystemChange[] | null> =>
      transport.json({ route: 'containerChanges', name: id }),
    /** What `path` in the container is; a link at its end is not followed. */
    statPath: async (id: string, path: string): Promise<PathStat> => {
      const call = { route: 'containerArchiveHead', name: id, query: { path } } as const;
      const answer = await transport.open(call);
      answer.discard();
      return pathStatOf(answer.headers);
    },
    /** What `path` is, and a tar of it. Destroying the archive ends the copy. */
    readArchive: async (id: string, path: string): Promise<{ readonly stat: PathStat; readonly archive: Readable }> => {
      const call = { route: 'containerArchive', name: id, query: { path } } as const;
      const answer = await transport.open(call);
      const archive = streamOf(answer);
      try {
        return { stat: pathStatOf(answer.headers), archive };
      } catch (error) {
        archive.destroy();
        throw error;
      }
    },
    /** Extracts a tar in the folder `path`; never puts a folder over something else, or something else over a folder. */
    writeArchive: (
      id: string,
      path: string,
      archive: Readable,
      options: { readonly copyUidGid?: boolean } = {},
    ): Promise<void> =>
      transport.done({
        route: 'containerArchivePut',
        name: id,
        query: { path, noOverwriteDirNonDir: 'true', copyUIDGID: options.copyUidGid ? 'true' : undefined },
        stream: archive,
        contentType: 'application/x-tar',
      }),
    /** The container's file system as a tar stream. */
    exportTar: (id: string): Promise<Readable> => transport.stream({ route: 'containerExport', name: id }),
  };
}

/** @throws Error when the daemon did not send what it must */
function pathStatOf(headers: AnswerHeaders): PathStat {
  const header = String(headers['x-docker-container-path-stat'] ?? '');
  try {
    const bytes = Uint8Array.from(atob(header), (char) => char.charCodeAt(0));
    const { name, size, mode, mtime, linkTarget } = JSON.parse(new TextDecoder().decode(bytes)) as PathStat;
    return { name, size: Number(size), mode: Number(mode), mtime, linkTarget: String(linkTarget ?? '') };
  } catch (cause) {
    throw new Error('unable to get resource stat from response', { cause });
  }
}
