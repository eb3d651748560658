// Owns `load`.
import { CommandFailure } from '../../failure.ts';
import { imageLoad } from '../../grammar/image.table.ts';
import { showProgress } from '../../render/progress.ts';
import type { Command } from '../../session.ts';
import { openInput } from './open-input.ts';
import { platformJson } from './platform-json.ts';

/** Loads images from a tar file, or from stdin. */
export const command: Command = {
  spec: imageLoad,
  run: async (session, { flags }) => {
    const path = flags.text('input');
    const { stdin, stdout } = session.stdio;
    if (path === '' && stdin.isTTY)
      throw new CommandFailure(
        1,
        'requested load from stdin, but stdin is empty',
        'give -i FILE, or pipe a tar into it',
      );
    const source = path === '' ? stdin : await openInput(path);
    const quiet = flags.bool('quiet') || stdout.isTTY !== true;
    const messages = await session
      .client()
      .images.load(source, { quiet, platform: platformJson(flags.text('platform')) });
    await showProgress(messages, { output: stdout });
    return 0;
  },
};
