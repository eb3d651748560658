// Owns `volume rm`.
import { joinFailures } from '../../explain.ts';
import { volumeRm } from '../../grammar/volume.table.ts';
import type { Command } from '../../session.ts';

/** Removes volumes, one after the other. */
export const command: Command = {
  spec: volumeRm,
  run: async (session, { flags, args }) => {
    const failures: unknown[] = [];
    for (const name of args) {
      try {
        await session.client().volumes.remove(name, flags.bool('force'));
        session.line(name);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw joinFailures(failures);
    return 0;
  },
};
