// Owns `registry search`.
import { registrySearch } from '../../grammar/registry.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Row {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly platforms: readonly string[];
  readonly sizeBytes: number;
  readonly pushedAt: string;
}

/** Finds tags. */
export const command: Command = {
  spec: registrySearch,
  run: async (session, { flags, args }) => {
    const query = new URLSearchParams({ q: args.join(' '), n: String(flags.number('limit')) });
    const { results } = await (await connect(session, flags)).call<{ results: Row[] }>('GET', `search?${query}`);
    printRows(
      session,
      flags,
      ['Name', 'Digest', 'Platforms', 'Size', 'PushedAt'],
      results.map(({ repository, tag, digest, platforms, sizeBytes, pushedAt }) => ({
        Name: `${repository}:${tag}`,
        Digest: digest,
        Platforms: platforms.join(','),
        Size: humanSize(sizeBytes),
        PushedAt: pushedAt,
      })),
    );
    return 0;
  },
};
