// Owns `logout`.
import { eraseCredentials } from '../../config/credentials.ts';
import { logout } from '../../grammar/system.table.ts';
import type { Command } from '../../session.ts';
import { serverOf } from './login-server.ts';

/** Forgets the credentials of a registry. */
export const command: Command = {
  spec: logout,
  run: async (session, { args }) => {
    const server = serverOf(args[0]);
    await eraseCredentials(session.config(), server);
    session.line(`Removing login credentials for ${server}`);
    return 0;
  },
};
