// Owns `registry rm`.

import type { RegistryApi } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { failureText, hintOf } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { registryRm } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect, splitName } from './connect.ts';

/** Lines in the manner of `docker rmi`. */
async function remove(
  api: RegistryApi,
  repository: string,
  reference: string | undefined,
  isForced: boolean,
): Promise<readonly string[]> {
  if (reference === undefined) {
    await api.call('DELETE', `repositories/${repository}`);
    return [`Deleted: ${repository}`];
  }
  if (reference.includes(':')) {
    await api.call('DELETE', `/v2/${repository}/manifests/${reference}${isForced ? '?force=true' : ''}`);
    return [`Deleted: ${repository}@${reference}`];
  }
  const { deleted } = await api.call<{ deleted: string[] }>('DELETE', `images/${repository}/${reference}`);
  return [`Untagged: ${repository}:${reference}`, ...deleted.map((digest) => `Deleted: ${repository}@${digest}`)];
}

/** Removes tags, manifests and, with --all, whole repositories. */
export const command: Command = {
  spec: registryRm,
  run: async (session, { flags, args }) => {
    const isForced = flags.bool('force');
    const names = args.map((name) => ({ name, ...splitName(name) }));
    const [whole] = names.filter(({ reference }) => reference === undefined);
    if (whole && !flags.bool('all')) {
      const hint = `name a tag or a digest, or say --all to remove ${whole.name} with everything in it`;
      throw new CommandFailure(1, `Error: ${whole.name} is a whole repository`, hint);
    }
    const api = await connect(session, flags);
    const failures: string[] = [];
    let hint: string | undefined;
    for (const { name, repository, reference } of names) {
      const isWhole = reference === undefined;
      if (isWhole && !isForced && !(await confirm(session, `This removes ${name} with everything in it.`))) {
        failures.push(`${name} was not removed`);
        continue;
      }
      try {
        for (const line of await remove(api, repository, reference, isForced)) session.line(line);
      } catch (error) {
        failures.push(failureText(error));
        hint ??= hintOf(error);
      }
    }
    if (failures.length > 0) throw new CommandFailure(1, failures.join('\n'), hint);
    return 0;
  },
};
