// Owns how many files this process may have open. Node raises the soft limit to the hard one at its start.

import { libc, must } from '../libc.ts';

/** @source getrlimit(2) */
const RLIMIT_NOFILE = 7;

/** The soft limit of open descriptors; Infinity when there is none. */
export function openFileLimit(): number {
  const limits = Buffer.alloc(16);
  must(libc.getrlimit(RLIMIT_NOFILE, limits), 'getrlimit');
  const soft = limits.readBigUInt64LE(0);
  return soft >= 2n ** 63n ? Number.POSITIVE_INFINITY : Number(soft);
}

/** A running container takes two descriptors of the engine, each published port, exec, attach and log follower some more. */
const ENOUGH = 8192;

/** A sentence for the user when the limit is low; undefined when it is not. */
export function openFileWarning(limit: number): string | undefined {
  if (limit >= ENOUGH) return undefined;
  return `WARNING: the engine may have only ${limit} files open: with many containers it will fail; raise its limit (ulimit -n, LimitNOFILE=)`;
}
