// Owns `logout`.
import { eraseCredentials, HUB_SERVER } from '../../config/credentials.ts';
import { logout } from '../../grammar/system.table.ts';
import type { Command } from '../../session.ts';
import { serverOf } from './login-server.ts';

/** Forgets the credentials of a registry. */
export const command: Command = {
  spec: logout,
  run: async (session, { args }) => {
    const server = serverOf(args[0]);
    const known = await eraseCredentials(session.config(), server);
    const name = server === HUB_SERVER ? 'docker.io' : server;
    session.line(
      `${known || server !== HUB_SERVER ? 'Removing login credentials for' : 'Not logged in to'} ${server === HUB_SERVER ? server : name}`,
    );
    return 0;
  },
};
