// Owns `context rm`.
import { removeStoredContext } from '../../config/context-store.ts';
import { DEFAULT_CONTEXT, hasContext } from '../../config/contexts.ts';
import { CommandFailure } from '../../failure.ts';
import { contextRm } from '../../grammar/context.table.ts';
import type { Command, Session } from '../../session.ts';
import { eachTarget } from '../each-target.ts';
import { currentContext } from './current.ts';

/** Removes stored contexts; with --force the one in force too, and then the default one is. */
export const command: Command = {
  spec: contextRm,
  run: (session, { flags, args }) => {
    const current = currentContext(session);
    return eachTarget(session, args, async (name) => {
      remove(session, name, { current, force: flags.bool('force') });
      return name;
    });
  },
};

function remove(session: Session, name: string, { current, force }: { current: string; force: boolean }): void {
  const config = session.config();
  if (name === DEFAULT_CONTEXT) throw new CommandFailure(1, `context "${DEFAULT_CONTEXT}" cannot be removed`);
  if (!force && !hasContext(config.folder, name)) throw new CommandFailure(1, `context "${name}" does not exist`);
  if (!force && name === current) {
    throw new CommandFailure(1, `context "${name}" is in use, set -f flag to force remove`);
  }
  removeStoredContext(config.folder, name);
  if (config.data.currentContext === name) config.update({ currentContext: undefined });
}
