// Owns `import`.

import { familiarReference, parseReference } from '../../../spec/reference.ts';
import { imageImport } from '../../grammar/image.table.ts';
import { showProgress } from '../../render/progress.ts';
import type { Command } from '../../session.ts';
import { openInput } from './open-input.ts';

/** Makes an image of a file system tar: a file, `-` for stdin, or a URL that the daemon reads. */
export const command: Command = {
  spec: imageImport,
  run: async (session, { flags, args }) => {
    const [source = '', reference] = args;
    const isUrl = /^https?:\/\//.test(source);
    const tar = source === '-' ? session.stdio.stdin : isUrl ? source : await openInput(source);
    const name = reference === undefined ? undefined : parseReference(reference);
    const messages = await session.client().images.importTar(tar, {
      repo: name === undefined ? undefined : familiarReference(name),
      message: flags.text('message') || undefined,
      changes: flags.list('change'),
      platform: flags.text('platform') || undefined,
    });
    await showProgress(messages, { output: session.stdio.stdout });
    return 0;
  },
};
