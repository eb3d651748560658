// Owns background upkeep: when garbage is collected and the search index is filled and swept. Does none of it itself.

import { messageOf } from '../lib/errors.ts';
import { Periodic } from '../store/jobs/index.ts';
import type { GarbageCollector, Hooks } from './repositories/types.ts';
import type { Search } from './search/index.ts';
import type { Log } from './types.ts';

/** A collection follows this long after a delete. */
const GARBAGE_PAUSE_MS = 200;

export interface KeepCleanOptions {
  readonly repositories: GarbageCollector & Hooks;
  readonly search: Pick<Search, 'fill' | 'sweep'>;
  readonly garbageEveryMs: number;
  readonly log: Log;
}

type Task = (signal: AbortSignal) => Promise<unknown>;

/** Collects garbage after deletes and at an interval. The first run also fills the search index and removes what a crash left. */
export function keepClean({ repositories, search, garbageEveryMs, log }: KeepCleanOptions): AsyncDisposable {
  const onError = (error: unknown): void => log('error', `background work: ${messageOf(error)}`);
  const first: Task[] = [(signal) => search.fill(signal), (signal) => repositories.removeStrays(signal)];
  const always: Task[] = [(signal) => repositories.collectGarbage(signal), (signal) => search.sweep(signal)];
  const collector = new Periodic({
    everyMs: garbageEveryMs,
    firstMs: 0,
    async run(signal) {
      for (const task of [...first.splice(0), ...always]) {
        signal.throwIfAborted();
        // A failed task does not keep the next one from running.
        await task(signal).catch((error: unknown) => {
          if (!signal.aborted) onError(error);
        });
      }
    },
    onError,
  }).start();
  repositories.onGarbage(() => collector.soon(GARBAGE_PAUSE_MS));
  return collector;
}
