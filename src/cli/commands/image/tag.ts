// Owns `tag`.

import { messageOf } from '../../../lib/errors.ts';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '../../../spec/reference.ts';
import { hintOf } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { goQuote } from '../../grammar/go-text.ts';
import { imageTag } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';

/** Gives an image another name. */
export const command: Command = {
  spec: imageTag,
  run: async (session, { args }) => {
    const [source = '', target = ''] = args;
    const name = readTarget(target);
    if (name.digest !== undefined) throw new CommandFailure(1, 'refusing to create a tag with a digest reference');
    await session.client().images.tag(source, canonicalName(name), name.tag ?? '');
    return 0;
  },
};

function readTarget(text: string): Reference {
  try {
    return withDefaultTag(parseReference(text));
  } catch (error) {
    const reason = `${goQuote(text)} is not a valid repository/tag: ${messageOf(error)}`;
    throw new CommandFailure(1, `Error parsing reference: ${reason}`, hintOf(error));
  }
}
