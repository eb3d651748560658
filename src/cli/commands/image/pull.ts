// Owns `pull`.
import { messageOf } from '../../../lib/errors.ts';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '../../../spec/reference.ts';
import { refuseContentTrust } from '../../content-trust.ts';
import { CommandFailure } from '../../failure.ts';
import { imagePull } from '../../grammar/image.table.ts';
import { showProgress } from '../../render/progress.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { pullName } from './start-pull.ts';

/** Fetches an image and prints its full name. */
export const command: Command = {
  spec: imagePull,
  run: async (session, invocation) => {
    const { flags } = invocation;
    refuseContentTrust(session, flags);
    const name = nameToPull(session, invocation);
    const messages = await pullName(session, name, flags.text('platform'));
    await showProgress(messages, { output: flags.bool('quiet') ? undefined : session.stdio.stdout });
    session.line(fullName(name));
    return 0;
  },
};

function nameToPull(session: Session, { flags, args }: Invocation): Reference {
  const name = readName(args[0] ?? '');
  const bare = name.tag === undefined && name.digest === undefined;
  if (flags.bool('all-tags')) {
    if (!bare) throw new CommandFailure(1, "tag can't be used with --all-tags/-a");
    return name;
  }
  if (bare && !flags.bool('quiet')) session.line('Using default tag: latest');
  return withDefaultTag(name);
}

function readName(text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    throw new CommandFailure(1, messageOf(error));
  }
}

function fullName(name: Reference): string {
  const tag = name.tag === undefined || name.digest !== undefined ? '' : `:${name.tag}`;
  return canonicalName(name) + tag + (name.digest === undefined ? '' : `@${name.digest}`);
}
