// Owns waiting for a container's end or removal.

import type { Context } from './context.ts';
import { isAlive } from './state.ts';
import type { WaitCondition, WaitResult } from './types.ts';

/** See Containers.wait. */
export function wait(
  context: Context,
  ref: string,
  condition: WaitCondition,
  ready: () => void,
  signal: AbortSignal,
): Promise<WaitResult> {
  signal.throwIfAborted();
  const record = context.records.find(ref);
  const live = context.lives.of(record.id);
  const over = !isAlive(record.state.phase) && record.state.phase !== 'restarting';
  if (condition === 'not-running' && over) {
    ready();
    return Promise.resolve({ exitCode: record.state.exitCode });
  }
  const waiters = condition === 'removed' ? live.removeWaiters : live.exitWaiters;
  const ends = [signal, context.closing];
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      settle();
      reject(signal.aborted ? signal.reason : context.closing.reason);
    };
    const done = (result: WaitResult): void => {
      settle();
      resolve(result);
    };
    const settle = (): void => {
      waiters.delete(done);
      for (const end of ends) end.removeEventListener('abort', leave);
    };
    waiters.add(done);
    for (const end of ends) end.addEventListener('abort', leave, { once: true });
    ready();
  });
}
