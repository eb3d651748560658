// Owns the name of the context in force, for the commands that show it.
import { chooseContext } from '../../config/host.ts';
import type { Session } from '../../session.ts';

/** The name, after flags, environment and config.json. */
export function currentContext(session: Session): string {
  return chooseContext(session.globals, session.env, session.config());
}
