// Owns the refusals that hold whoever asks: a registry that is read-only or deletes nothing, repositories that mirror others.

import { GantryError } from '../../lib/errors.ts';
import type { DistributionOptions } from './types.ts';

/** @throws UNSUPPORTED (405), DENIED */
export function refuseWrite(options: DistributionOptions, repository: string): void {
  if (options.isReadOnly) throw new GantryError('notImplemented', 'UNSUPPORTED', 'the registry is read-only');
  if (options.origin?.serves(repository)) {
    throw new GantryError('forbidden', 'DENIED', 'the repository mirrors another registry', {
      hint: 'push to the origin',
    });
  }
}

/** Mirrors may be cleaned. @throws UNSUPPORTED (405) */
export function refuseDelete(options: Pick<DistributionOptions, 'isReadOnly' | 'isDeleteOn'>): void {
  if (options.isReadOnly) throw new GantryError('notImplemented', 'UNSUPPORTED', 'the registry is read-only');
  if (!options.isDeleteOn) throw new GantryError('notImplemented', 'UNSUPPORTED', 'deleting is turned off');
}
