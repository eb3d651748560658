// Owns `create`.
import { containerCreate } from '../../grammar/run.table.ts';
import { CONTAINER_CHECKS } from '../../run-options/checks.ts';
import type { Command } from '../../session.ts';
import { createContainer, readCreateBody } from './create-container.ts';

/** Creates a container and prints its id. */
export const command: Command = {
  spec: containerCreate,
  checks: CONTAINER_CHECKS,
  run: async (session, invocation) => {
    session.line(await createContainer(session, invocation, readCreateBody(session, invocation)));
    return 0;
  },
};
