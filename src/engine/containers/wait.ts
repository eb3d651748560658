// Owns waiting for a container's end or removal.

import { isGantryError } from '../../lib/errors.ts';
import type { Context } from './context.ts';
import { isAlive } from './state.ts';
import type { ContainerRecord, WaitCondition, WaitResult } from './types.ts';

/** See Containers.wait. */
export async function wait(
  context: Context,
  ref: string,
  condition: WaitCondition,
  ready: () => void,
  signal: AbortSignal,
): Promise<WaitResult> {
  signal.throwIfAborted();
  const record = findOrDeparted(context, ref);
  if ('exitCode' in record) {
    ready();
    return record;
  }
  const live = context.lives.of(record.id);
  const over = !isAlive(record.state.phase) && record.state.phase !== 'restarting';
  if (condition === 'not-running' && over) {
    ready();
    return { exitCode: record.state.exitCode };
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
    if (condition === 'removed') live.hastenRemoval();
    for (const end of ends) end.addEventListener('abort', leave, { once: true });
    ready();
  });
}

/** @throws NO_SUCH_CONTAINER, AMBIGUOUS_ID */
function findOrDeparted(context: Context, ref: string): ContainerRecord | WaitResult {
  try {
    return context.records.find(ref);
  } catch (error) {
    const exitCode = context.departed.exitCodeOf(ref);
    if (exitCode === undefined || !isGantryError(error, 'notFound')) throw error;
    return { exitCode };
  }
}
