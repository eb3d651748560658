// Owns `volume rm`.
import { failureText } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { volumeRm } from '../../grammar/volume.table.ts';
import type { Command } from '../../session.ts';

/** Removes volumes, one after the other. */
export const command: Command = {
  spec: volumeRm,
  run: async (session, { flags, args }) => {
    const failures: string[] = [];
    for (const name of args) {
      try {
        await session.client().volumes.remove(name, flags.bool('force'));
        session.line(name);
      } catch (error) {
        failures.push(failureText(error));
      }
    }
    if (failures.length > 0) throw new CommandFailure(1, failures.join('\n'));
    return 0;
  },
};
