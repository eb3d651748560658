// Owns `registry tags`.
import { registryTags } from '../../grammar/registry.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Row {
  readonly tag: string;
  readonly digest: string;
  readonly platforms: readonly string[];
  readonly contentBytes: number;
  readonly updatedAt: string;
  readonly pushedBy: string;
}

/** Lists the tags of a repository. */
export const command: Command = {
  spec: registryTags,
  run: async (session, { flags, args }) => {
    const rows = await (await connect(session, flags)).all<Row>(`repositories/${args[0]}/tags`, 'tags');
    printRows(
      session,
      flags,
      ['Tag', 'Digest', 'Platforms', 'Size', 'UpdatedAt', 'PushedBy'],
      rows.map(({ tag, digest, platforms, contentBytes, updatedAt, pushedBy }) => ({
        Tag: tag,
        Digest: digest,
        Platforms: platforms.join(','),
        Size: humanSize(contentBytes),
        UpdatedAt: updatedAt,
        PushedBy: pushedBy,
      })),
    );
    return 0;
  },
};
