// Owns `registry history`.
import { registryHistory } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect, splitName } from './connect.ts';
import { printRows } from './print.ts';

interface Row {
  readonly digest: string;
  readonly since: string;
  readonly until?: string;
  readonly by: string;
}

/** Shows what a tag pointed to. */
export const command: Command = {
  spec: registryHistory,
  run: async (session, { flags, args }) => {
    const { repository, reference = 'latest' } = splitName(args[0] ?? '');
    const api = await connect(session, flags);
    const { history } = await api.call<{ history: Row[] }>('GET', `repositories/${repository}/history/${reference}`);
    printRows(
      session,
      flags,
      ['Digest', 'Since', 'Until', 'By'],
      history.map(({ digest, since, until = '', by }) => ({ Digest: digest, Since: since, Until: until, By: by })),
    );
    return 0;
  },
};
