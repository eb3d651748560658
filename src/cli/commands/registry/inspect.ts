// Owns `registry inspect`.
import { registryInspect } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect, splitName } from './connect.ts';

/** Shows everything about a manifest, as JSON. */
export const command: Command = {
  spec: registryInspect,
  run: async (session, { flags, args }) => {
    const { repository, reference = 'latest' } = splitName(args[0] ?? '');
    const api = await connect(session, flags);
    const record = await api.call<{ digest: string }>('GET', `repositories/${repository}/manifests/${reference}`);
    const verification = await api.call<object>('GET', `repositories/${repository}/verification/${record.digest}`);
    session.line(JSON.stringify({ ...record, ...verification }, undefined, 4));
    return 0;
  },
};
