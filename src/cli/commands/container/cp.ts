// Owns `cp`: files from a container to here and back.

import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { PathStat } from '../../../client/index.ts';
import { checkTarget, extractLocal, localSource, localTarget, packLocal } from '../../copy/local.ts';
import {
  type CopyArgument,
  type CopyEnd,
  type CopySource,
  followed,
  linkedPath,
  type Placement,
  placementOf,
  splitArgument,
  withEnding,
} from '../../copy/paths.ts';
import { CopyProgress } from '../../copy/progress.ts';
import { CommandFailure } from '../../failure.ts';
import { containerCp } from '../../grammar/container.table.ts';
import type { Flags } from '../../grammar/flags.ts';
import type { Command, Session } from '../../session.ts';
import { write } from '../../terminal/stream.ts';

/** @source io/fs FileMode */
const GO_MODE = { folder: 2 ** 31, symlink: 2 ** 27, device: 2 ** 26, irregular: 2 ** 19 } as const;

interface CopyOptions {
  readonly followLink: boolean;
  readonly archive: boolean;
  readonly quiet: boolean;
}

/** Copies files and folders between a container and the local file system, or its standard streams. */
export const command: Command = {
  spec: containerCp,
  run: async (session, { flags, args }) => {
    const [from = '', to = ''] = args;
    if (from === '') throw new CommandFailure(1, 'source can not be empty');
    if (to === '') throw new CommandFailure(1, 'destination can not be empty');
    const [source, target] = [splitArgument(from), splitArgument(to)];
    if (source.container && target.container) {
      const hint = `pipe one copy into another: gantry cp ${from} - | gantry cp - ${target.container}:FOLDER`;
      throw new CommandFailure(1, 'copying between containers is not supported', hint);
    }
    const options = optionsOf(session, flags);
    if (source.container) await copyOut(session, source, target.path, options);
    else if (target.container) await copyIn(session, source.path, target, options);
    else throw new CommandFailure(1, 'must specify at least one container source', 'write one side as CONTAINER:PATH');
    return 0;
  },
};

/** Without a terminal there is nobody to read of progress. */
function optionsOf(session: Session, flags: Flags): CopyOptions {
  const quiet = flags.changed('quiet') ? flags.bool('quiet') : !session.stdio.stdout.isTTY;
  return { followLink: flags.bool('follow-link'), archive: flags.bool('archive'), quiet };
}

async function copyOut(session: Session, from: CopyArgument, to: string, options: CopyOptions): Promise<void> {
  const target = to === '-' ? to : absolute(session, to);
  if (target !== '-') checkTarget(target);
  const { containers } = session.client();
  const source = options.followLink ? await followIn(session, from) : { path: from.path, name: undefined };
  const { archive, stat } = await containers.readArchive(from.container, source.path);
  try {
    if (target === '-') {
      for await (const piece of archive) await write(session.stdio.stdout, piece as Buffer);
      return;
    }
    const what = { path: source.path, exists: true, isFolder: isKind(stat, 'folder'), givenName: source.name };
    const extract = (pieces: AsyncIterable<Buffer>): Promise<void> =>
      extractLocal(pieces, what, placementOf(what, localTarget(target)));
    if (options.quiet) await extract(archive);
    else await withProgress(session, 'from', target, (progress) => extract(progress.counted(archive)));
  } finally {
    archive.destroy();
  }
}

async function copyIn(session: Session, from: string, to: CopyArgument, options: CopyOptions): Promise<void> {
  const source = from === '-' ? undefined : absolute(session, from);
  const target = await targetIn(session, to);
  const label = `${to.container}:${to.path}`;
  if (source === undefined && !target.isFolder) {
    throw new CommandFailure(1, `destination "${label}" must be a directory`);
  }
  const plan = source === undefined ? undefined : planOf(source, target, options);
  const send = (content: Readable): Promise<void> =>
    session.client().containers.writeArchive(to.container, plan?.folder ?? target.path, content, {
      copyUidGid: options.archive,
    });
  const contentOf = (count: (bytes: number) => void): Readable =>
    plan === undefined ? session.stdio.stdin : packLocal(plan.source, plan.name, count);
  if (options.quiet) return send(contentOf(() => {}));
  // What comes by stdin is not counted. @source docker 28.2.2
  await withProgress(session, 'to', `${to.container}:${target.path}`, (progress) => send(contentOf(progress.add)));
}

function planOf(
  path: string,
  target: CopyEnd,
  { followLink }: CopyOptions,
): Placement & { readonly source: CopySource } {
  const source = localSource(path, followLink);
  return { ...placementOf(source, target), source };
}

/** The progress, then its summary: also of a copy that failed. @source docker 28.2.2 */
async function withProgress(
  session: Session,
  direction: 'to' | 'from',
  target: string,
  work: (progress: CopyProgress) => Promise<void>,
): Promise<void> {
  const progress = new CopyProgress(session.stdio.stderr, direction);
  try {
    await work(progress);
  } finally {
    progress[Symbol.dispose]();
    session.warn(progress.summary(target));
  }
}

/** Where a link at the end of a container's path leads to. What cannot be looked at fails when it is read. */
async function followIn(
  session: Session,
  { container, path }: CopyArgument,
): Promise<{ readonly path: string; readonly name: string | undefined }> {
  const stat = await statOf(session, container, path);
  if (!stat || !isKind(stat, 'symlink')) return { path, name: undefined };
  return followed(path, linkedPath(path, stat.linkTarget));
}

/** What is at a container's path, a link at its end followed. @throws CommandFailure for a device */
async function targetIn(session: Session, { container, path }: CopyArgument): Promise<CopyEnd> {
  let here = path;
  let stat = await statOf(session, container, path);
  if (stat && isKind(stat, 'symlink')) {
    here = linkedPath(path, stat.linkTarget);
    stat = await statOf(session, container, here);
  }
  const kind =
    stat && (isKind(stat, 'device') ? 'a device' : isKind(stat, 'irregular') ? 'an irregular file' : undefined);
  if (kind !== undefined) {
    const what = `destination "${container}:${path}" must be a directory or a regular file`;
    throw new CommandFailure(1, `${what}: got ${kind}`);
  }
  return { path: here, exists: stat !== undefined, isFolder: stat !== undefined && isKind(stat, 'folder') };
}

/** Undefined for any failure: writing or reading then says what is wrong. */
function statOf(session: Session, container: string, path: string): Promise<PathStat | undefined> {
  return session
    .client()
    .containers.statPath(container, path)
    .catch(() => undefined);
}

function isKind({ mode }: PathStat, kind: keyof typeof GO_MODE): boolean {
  return Math.floor(mode / GO_MODE[kind]) % 2 === 1;
}

function absolute(session: Session, path: string): string {
  return withEnding(resolve(session.cwd, path), path);
}
