// Owns `image rm`, known as `rmi`.
import { isApiError } from '../../../client/index.ts';
import { failureText, joinFailures } from '../../explain.ts';
import { imageRm } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';
import { platformJson } from './platform-json.ts';

/** Removes images, one after the other; with --force missing ones are no failure. */
export const command: Command = {
  spec: imageRm,
  run: async (session, { flags, args }) => {
    const failures: unknown[] = [];
    let fatal = false;
    for (const name of args) {
      try {
        const removed = await session.client().images.remove(name, {
          force: flags.bool('force'),
          noPrune: flags.bool('no-prune'),
          platforms: flags.list('platform').map(platformJson),
        });
        for (const item of removed) {
          session.line(item.Deleted ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged ?? ''}`);
        }
      } catch (error) {
        if (!isApiError(error, 404)) fatal = true;
        failures.push(error);
      }
    }
    if (failures.length === 0) return 0;
    if (!flags.bool('force') || fatal) throw joinFailures(failures);
    session.warn(failures.map(failureText).join('\n'));
    return 0;
  },
};
