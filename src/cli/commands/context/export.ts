// Owns `context export`.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { packContext } from '../../config/context-archive.ts';
import { CommandFailure } from '../../failure.ts';
import { contextExport } from '../../grammar/context.table.ts';
import type { Command } from '../../session.ts';
import { systemReason } from '../../system-reason.ts';
import { wholeContext } from './current.ts';

/** Writes a context as a tar, into a new file or to stdout. */
export const command: Command = {
  spec: contextExport,
  run: async (session, { args }) => {
    const [name = '', file = `${name}.dockercontext`] = args;
    if (file === '-' && session.stdio.stdout.isTTY === true) {
      throw new CommandFailure(1, 'cowardly refusing to export to a terminal, specify a file path');
    }
    const tar = packContext(wholeContext(session, name));
    if (file === '-') {
      session.stdio.stdout.write(tar);
      return 0;
    }
    try {
      writeFileSync(resolve(session.cwd, file), tar, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw new CommandFailure(1, `open ${file}: ${systemReason(error)}`);
    }
    session.warn(`Written file "${file}"`);
    return 0;
  },
};
