// Owns ending all containers with the daemon, where it is not to leave them running.

import { messageOf } from '../../lib/errors.ts';
import { within } from '../../lib/within.ts';
import type { Context } from './context.ts';
import { isActive } from './state.ts';
import { endRun, stopPlan } from './stop.ts';

/** Beyond the longest stop timeout of a container. @source dockerd 28.5 */
const GRACE_SECONDS = 5;

/**
 * Stops every container in its own way and time. It counts as stopped by the daemon: policies that restart with the daemon do so, and
 * automatic removal waits for the next one.
 * @param timeoutSeconds for all, unless a container has longer; -1 = as long as it takes
 */
export async function shutdown(context: Context, timeoutSeconds: number): Promise<void> {
  const active = context.records.all().filter(({ state }) => isActive(state.phase));
  const plans = active.map((record) => ({ id: record.id, ...stopPlan(context, record, {}) }));
  const ends = plans.map(async ({ id, ...plan }) => {
    // For good: nothing follows this exit any more.
    context.lives.of(id).stopping++;
    await endRun(context, id, { ...plan, byHand: false }).catch((error: unknown) => {
      context.log('error', `container ${id}: it could not be stopped: ${messageOf(error)}`);
    });
  });
  const limits = plans.map((plan) => (plan.timeoutSeconds < 0 ? Infinity : plan.timeoutSeconds + GRACE_SECONDS));
  const limit = Math.max(timeoutSeconds < 0 ? Infinity : timeoutSeconds, ...limits);
  const inTime = await within(Promise.all(ends), Number.isFinite(limit) ? limit * 1000 : undefined);
  if (!inTime) context.log('warn', 'not all containers ended in time; they run on');
}
