// Owns `registry users`.
import { text } from 'node:stream/consumers';
import { CommandFailure } from '../../failure.ts';
import { registryUsers } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';

/** Lists, adds and removes users. */
export const command: Command = {
  spec: registryUsers,
  run: async (session, { flags }) => {
    const api = await connect(session, flags);
    const added = flags.text('add');
    const removed = flags.text('rm');
    if (added !== '') {
      if (session.stdio.stdin.isTTY === true)
        throw new CommandFailure(1, 'the password is read from standard input, which is a terminal');
      const password = (await text(session.stdio.stdin)).replace(/\r?\n$/, '');
      await api.call('POST', 'users', { name: added, password });
      session.line(added);
    } else if (removed !== '') {
      await api.call('DELETE', `users/${encodeURIComponent(removed)}`);
      session.line(removed);
    } else {
      const { users } = await api.call<{ users: string[] }>('GET', 'users');
      for (const user of users) session.line(user);
    }
    return 0;
  },
};
