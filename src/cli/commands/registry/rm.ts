// Owns `registry rm`.

import type { RegistryApi } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { failureText } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { registryRm } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect, splitName } from './connect.ts';

/** Lines in the manner of `docker rmi`. */
async function remove(api: RegistryApi, repository: string, reference: string | undefined): Promise<readonly string[]> {
  if (reference === undefined) {
    await api.call('DELETE', `repositories/${repository}`);
    return [`Deleted: ${repository}`];
  }
  if (reference.includes(':')) {
    await api.call('DELETE', `/v2/${repository}/manifests/${reference}`);
    return [`Deleted: ${repository}@${reference}`];
  }
  const { deleted } = await api.call<{ deleted: string[] }>('DELETE', `images/${repository}/${reference}`);
  return [`Untagged: ${repository}:${reference}`, ...deleted.map((digest) => `Deleted: ${repository}@${digest}`)];
}

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
        for (const line of await remove(api, repository, reference)) session.line(line);
      } catch (error) {
        failures.push(failureText(error));
      }
    }
    if (failures.length > 0) throw new CommandFailure(1, failures.join('\n'));
    return 0;
  },
};
