// Owns how one ulimit is written on a command line, in Docker's words. Pure.

import { parseGoInt } from '../../lib/go-text.ts';
import type { HostConfigUlimit } from './types.gen.ts';

const ULIMIT_NAMES = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** One `--ulimit name=soft[:hard]`. @throws Error in Docker's words @source docker/go-units ParseUlimit */
export function parseUlimit(text: string): HostConfigUlimit {
  const equals = text.indexOf('=');
  if (equals === -1) throw new Error(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!ULIMIT_NAMES.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const limits = text.slice(equals + 1).split(':');
  if (limits.length > 2)
    throw new Error(
      `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    );
  const soft = parseGoInt(limits[0] ?? '');
  const hard = limits[1] === undefined ? soft : parseGoInt(limits[1]);
  if (hard !== -1 && (soft > hard || soft === -1)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Hard: hard, Soft: soft };
}
