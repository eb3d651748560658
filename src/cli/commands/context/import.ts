// Owns `context import`.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { unpackContext } from '../../config/context-archive.ts';
import { checkNewContextName, writeStoredContext } from '../../config/context-store.ts';
import { CommandFailure } from '../../failure.ts';
import { contextImport } from '../../grammar/context.table.ts';
import type { Command } from '../../session.ts';
import { systemReason } from '../../system-reason.ts';

/** Stores the context of a tar under a new name. */
export const command: Command = {
  spec: contextImport,
  run: async (session, { args }) => {
    const [name = '', file = ''] = args;
    const { folder } = session.config();
    checkNewContextName(folder, name);
    const tar = file === '-' ? session.stdio.stdin : readableFile(resolve(session.cwd, file), file);
    writeStoredContext(folder, await unpackContext(tar, name));
    session.line(name);
    session.warn(`Successfully imported context "${name}"`);
    return 0;
  },
};

/** The bytes of a file. @throws CommandFailure (1) when they cannot be read */
async function* readableFile(path: string, asGiven: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CommandFailure(1, `${String(error.syscall)} ${asGiven}: ${systemReason(error)}`);
  }
}
