// Owns the options that stop and restart share.
import type { StopOptions } from '../../../client/index.ts';
import { CommandFailure } from '../../failure.ts';
import type { Flags } from '../../grammar/flags.ts';

/** Signal and seconds; `--time` is the old name of `--timeout`. @throws CommandFailure (1) when both are given */
export function stopOptionsOf(flags: Flags): StopOptions {
  if (flags.changed('time') && flags.changed('timeout')) {
    throw new CommandFailure(1, 'conflicting options: cannot specify both --timeout and --time');
  }
  const given = ['timeout', 'time'].find((name) => flags.changed(name));
  return { signal: flags.text('signal'), timeoutSeconds: given === undefined ? undefined : flags.number(given) };
}
