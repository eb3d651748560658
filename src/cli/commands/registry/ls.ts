// Owns `registry ls`.
import { registryLs } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Row {
  readonly name: string;
  readonly tagCount: number;
  readonly newestTag?: string;
  readonly updatedAt?: string;
}

/** Lists repositories. */
export const command: Command = {
  spec: registryLs,
  run: async (session, { flags }) => {
    const rows = await (await connect(session, flags)).all<Row>('repositories', 'repositories');
    printRows(
      session,
      flags,
      ['Name', 'Tags', 'NewestTag', 'UpdatedAt'],
      rows.map(({ name, tagCount, newestTag = '', updatedAt = '' }) => ({
        Name: name,
        Tags: String(tagCount),
        NewestTag: newestTag,
        UpdatedAt: updatedAt,
      })),
    );
    return 0;
  },
};
