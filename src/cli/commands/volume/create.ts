// Owns `volume create`.
import { CommandFailure } from '../../failure.ts';
import { volumeCreate } from '../../grammar/volume.table.ts';
import { keyValues } from '../../run-options/devices.ts';
import { checkLabel } from '../../run-options/environment.ts';
import type { Command } from '../../session.ts';

/** Creates a volume and prints its name. */
export const command: Command = {
  spec: volumeCreate,
  checks: { label: checkLabel },
  run: async (session, { flags, args }) => {
    if (args[0] !== undefined && flags.changed('name')) {
      throw new CommandFailure(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const options = keyValues(flags.list('opt'));
    const labels = keyValues(flags.list('label'));
    const volume = await session.client().volumes.create({
      Driver: flags.text('driver') || undefined,
      ...(Object.keys(options).length === 0 ? {} : { DriverOpts: options }),
      ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
      Name: (args[0] ?? flags.text('name')) || undefined,
    });
    session.line(volume.Name ?? '');
    return 0;
  },
};
