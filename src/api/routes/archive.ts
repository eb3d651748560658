// Owns the routes of files in containers: looking at a path, reading and writing it as a tar. Moves bytes, reads none.

import type { FileStat } from '../../engine/files/types.ts';
import { formatNano } from '../../lib/clock.ts';
import { GantryError } from '../../lib/errors.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { writeAll } from '../byte-stream.ts';
import type { ApiContext } from '../context.ts';
import { DONE, EMPTY_OK, type Exchange, type Handlers } from '../exchange.ts';

/** The routes of this file. */
export type ArchiveRoute = Extract<RouteId, `containerArchive${string}`>;

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

export function archiveHandlers({ engine, writer }: ApiContext): Handlers<ArchiveRoute> {
  const { files } = engine;
  return {
    async containerArchiveHead(x) {
      const stat = await files.stat(x.name, pathOf(x), x.signal);
      x.response.setHeader(STAT_HEADER, statText(stat));
      return EMPTY_OK;
    },

    async containerArchive(x) {
      const { stat, archive } = await files.read(x.name, pathOf(x), x.signal);
      x.response.setHeader(STAT_HEADER, statText(stat));
      writer.head(x.response, 200, 'application/x-tar');
      await writeAll(x.response, archive);
      x.response.end();
      return DONE;
    },

    async containerArchivePut(x) {
      const { query } = x;
      const request = {
        path: pathOf(x),
        noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
        asUser: query.bool('copyUIDGID'),
      };
      await files.write(x.name, request, x.upload, x.signal);
      return EMPTY_OK;
    },
  };
}

/** @source dockerd 28.5: the words are its own */
function pathOf({ name, query }: Exchange): string {
  if (name === '') throw new GantryError('invalid', 'EMPTY_NAME', 'bad parameter: namecannot be empty');
  const path = query.get('path');
  if (path === '') throw new GantryError('invalid', 'NO_PATH', 'bad parameter: pathcannot be empty');
  return path;
}

/** Base64 of JSON, as Docker's clients read it. */
function statText({ name, sizeBytes, mode, mtimeNano, linkTarget }: FileStat): string {
  const stat = { name, size: sizeBytes, mode, mtime: formatNano(mtimeNano), linkTarget };
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}
