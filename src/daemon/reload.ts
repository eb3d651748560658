// Owns what a reload makes of a configuration that was read again: which of it counts at once, and which needs a restart. Pure.

import { isDeepStrictEqual } from 'node:util';
import type { Configured, DaemonConfig } from './config.ts';
import { OPTIONS } from './options.table.ts';

/** The configuration from now on. */
export interface Reloaded {
  readonly config: DaemonConfig;
  /** Names of options that changed and count when the daemon starts again. */
  readonly later: readonly string[];
}

/** A name that is gone from the file keeps its value or gets its default back, as the table says. @source dockerd 28.5 */
export function reloaded(current: DaemonConfig, next: Configured): Reloaded {
  const config: Record<string, unknown> = { ...current };
  const later: string[] = [];
  for (const option of OPTIONS) {
    const { field, reload, key, flag } = option;
    if (field === undefined) continue;
    const value = next.config[field];
    const given = next.given.has(option);
    if (reload === 'reset' || (reload === 'keep' && given)) config[field] = value;
    else if (reload === undefined && !isDeepStrictEqual(value, current[field])) later.push(key ?? flag ?? '');
  }
  if (!isDeepStrictEqual(next.config.tls, current.tls)) later.push('tls');
  return { config: config as unknown as DaemonConfig, later };
}
