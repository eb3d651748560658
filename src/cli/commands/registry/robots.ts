// Owns `registry robots`.

import type { Flags } from '../../grammar/flags.ts';
import { registryRobots } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Robot {
  readonly name: string;
  readonly repositories: readonly string[];
  readonly actions: readonly string[];
  readonly expiresAtMs?: number;
}

/** Lists, adds and removes robot accounts. */
export const command: Command = {
  spec: registryRobots,
  run: async (session, { flags }) => {
    const api = await connect(session, flags);
    if (flags.text('add') !== '') {
      const { name, secret } = await api.call<{ name: string; secret: string }>('POST', 'robots', newRobot(flags));
      session.warn(`The secret of ${name}, which is not shown again:`);
      session.line(secret);
    } else if (flags.text('rm') !== '') {
      await api.call('DELETE', `robots/${encodeURIComponent(flags.text('rm'))}`);
      session.line(flags.text('rm'));
    } else {
      const { robots } = await api.call<{ robots: Robot[] }>('GET', 'robots');
      const rows = robots.map(({ name, repositories, actions, expiresAtMs }) => ({
        Name: name,
        Repositories: repositories.join(','),
        Actions: actions.join(','),
        Expires: expiresAtMs === undefined ? 'never' : new Date(expiresAtMs).toISOString(),
      }));
      printRows(session, flags, ['Name', 'Repositories', 'Actions', 'Expires'], rows);
    }
    return 0;
  },
};

function newRobot(flags: Flags) {
  const expires = flags.text('expires');
  const actions = flags.list('action');
  return {
    name: flags.text('add'),
    repositories: flags.list('repository'),
    actions: actions.length > 0 ? actions : ['pull'],
    ...(expires === '' ? {} : { expiresAt: expires }),
  };
}
