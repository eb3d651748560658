// Owns `registry rm`.
import { confirm } from '../../confirm.ts';
import { failureText } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { registryRm } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect, splitName } from './connect.ts';

/** Removes tags, manifests and, when told so, whole repositories. */
export const command: Command = {
  spec: registryRm,
  run: async (session, { flags, args }) => {
    const api = await connect(session, flags);
    const failures: string[] = [];
    for (const name of args) {
      const { repository, reference } = splitName(name);
      const isWhole = reference === undefined;
      if (isWhole && !flags.bool('force')) {
        if (!(await confirm(session, `This removes ${repository} with everything in it. Go on?`))) continue;
      }
      try {
        await api.call('DELETE', isWhole ? `repositories/${repository}` : `/v2/${repository}/manifests/${reference}`);
        session.line(name);
      } catch (error) {
        failures.push(failureText(error));
      }
    }
    if (failures.length > 0) throw new CommandFailure(1, failures.join('\n'));
    return 0;
  },
};
