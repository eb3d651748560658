// Owns `registry retention`.
import { confirm } from '../../confirm.ts';
import { CommandFailure } from '../../failure.ts';
import { registryRetention } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Removal {
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly why: string;
}

/** Shows or carries out what the rules remove. */
export const command: Command = {
  spec: registryRetention,
  run: async (session, { flags }) => {
    const api = await connect(session, flags);
    const isApplied = flags.bool('apply');
    if (isApplied && !flags.bool('force') && !(await confirm(session, 'This removes what the rules do not keep.')))
      throw new CommandFailure(1, 'nothing was removed');
    const path = isApplied ? 'retention/apply' : 'retention/preview';
    const plan = await api.call<{ tags: Removal[]; manifests: Removal[] }>(isApplied ? 'POST' : 'GET', path);
    printRows(
      session,
      flags,
      ['Repository', 'Tag', 'Digest', 'Why'],
      [...plan.tags, ...plan.manifests].map(({ repository, tag = '', digest, why }) => ({
        Repository: repository,
        Tag: tag,
        Digest: digest,
        Why: why,
      })),
    );
    return 0;
  },
};
