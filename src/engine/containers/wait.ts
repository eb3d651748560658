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
  const record = context.records.find(ref);
  const live = context.lives.of(record.id);
  const over = !isAlive(record.state.phase) && record.state.phase !== 'restarting';
  if (condition === 'not-running' && over) {
    ready();
    return Promise.resolve({ exitCode: record.state.exitCode });
  }
  const waiters = condition === 'removed' ? live.removeWaiters : live.exitWaiters;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiters.delete(done);
      reject(signal.reason);
    };
    const done = (result: WaitResult): void => {
      signal.removeEventListener('abort', leave);
      resolve(result);
    };
    waiters.add(done);
    signal.addEventListener('abort', leave, { once: true });
    ready();
  });
}
