// Owns `image save`, known as `save`.
import { createWriteStream, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../../lib/errors.ts';
import { CommandFailure } from '../../failure.ts';
import { imageSave } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';
import { systemReason } from '../../system-reason.ts';
import { platformJson } from './platform-json.ts';

/** Writes images as one tar, into a file or to stdout. */
export const command: Command = {
  spec: imageSave,
  run: async (session, { flags, args }) => {
    const output = flags.text('output');
    if (output === '' && session.stdio.stdout.isTTY === true) {
      throw new CommandFailure(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    if (output !== '') checkOutput(output);
    const tar = await session.client().images.save(args, platformJson(flags.text('platform')));
    if (output === '') await pipeline(tar, session.stdio.stdout, { end: false });
    else await writeWhole(tar, output);
    return 0;
  },
};

/** @throws CommandFailure (1) in Docker's words when nothing can be written there */
function checkOutput(path: string): void {
  const refuse = (why: string): never => {
    throw new CommandFailure(1, `failed to save image: ${why}`);
  };
  const folder = dirname(normalize(path));
  if (folder !== '.') statOr(folder, (error) => refuse(`invalid output path: stat ${folder}: ${systemReason(error)}`));
  const facts = statOr(path, () => undefined);
  if (facts?.isDirectory()) refuse('cannot write to a directory');
  if (facts?.isBlockDevice()) refuse('cannot write to a device');
}

function statOr(path: string, otherwise: (error: unknown) => undefined): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    return otherwise(error);
  }
}

/** A file that is there whole or not at all; what is no plain file is written in place. */
async function writeWhole(tar: NodeJS.ReadableStream, path: string): Promise<void> {
  const before = statOr(path, () => undefined);
  const inPlace = before !== undefined && !before.isFile();
  const target = inPlace ? path : join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await pipeline(tar, createWriteStream(target, { mode: 0o600 }));
    if (!inPlace) renameSync(target, path);
  } catch (error) {
    if (!inPlace) rmSync(target, { force: true });
    const isSystems = error instanceof Error && 'syscall' in error;
    throw new CommandFailure(
      1,
      `failed to save image: ${isSystems ? `write ${path}: ${systemReason(error)}` : messageOf(error)}`,
    );
  }
}
