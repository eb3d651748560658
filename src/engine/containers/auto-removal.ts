// Owns when a container that ended by itself and is removed automatically goes: not before clients that come right behind its end have seen
// how it ended, and how callers that come later still get its outcome. What a removal does is in removal.ts.

import { messageOf } from '../../lib/errors.ts';
import { within } from '../../lib/within.ts';
import type { Context } from './context.ts';
import type { Live } from './live.ts';
import { removeSettled } from './removal.ts';
import type { ContainerId, ContainerRecord } from './types.ts';

/** Docker takes 50 to 200 ms to remove; all that asks meanwhile (inspect, logs, attach, wait) is answered. @source dockerd 28.5 */
const GRACE_MS = 250;

/** Runs inside the container's queue, behind its exit. A client that waits for the removal gets it at once. */
export async function removeAutomatically(context: Context, record: ContainerRecord, live: Live): Promise<void> {
  if (live.removeWaiters.size > 0) return removeNow(context, record, live);
  context.records.update(record.id, { state: { phase: 'removing' } });
  live.announceExit({ exitCode: record.state.exitCode });
  context.background(removeLater(context, record.id, live));
}

async function removeLater(context: Context, id: ContainerId, live: Live): Promise<void> {
  const hastened = Promise.withResolvers<void>();
  live.hastenRemoval = hastened.resolve;
  const { closing } = context;
  closing.addEventListener('abort', live.hastenRemoval, { once: true });
  await within(hastened.promise, GRACE_MS);
  closing.removeEventListener('abort', live.hastenRemoval);
  await context.queue.run(id, async () => {
    const record = context.records.byId(id);
    if (record?.state.phase === 'removing') await removeNow(context, record, live);
  });
}

async function removeNow(context: Context, record: ContainerRecord, live: Live): Promise<void> {
  try {
    await removeSettled(context, record, { volumes: true });
    context.departed.add(record);
  } catch (error) {
    // A disk that takes no news, say: those who wait get the exit code all the same, and the next engine removes it.
    context.log('error', `container ${record.id}: removing it failed: ${messageOf(error)}`);
    const result = { exitCode: record.state.exitCode };
    live.announceExit(result);
    live.announceRemoval(result);
  }
}

const KEPT_MS = 10_000;
const MOST_KEPT = 256;

/** The exit codes of containers that were just removed automatically, for waits that come a moment late. Bounded in time and number. */
export class Departed {
  /** Oldest first. */
  readonly #gone = new Map<ContainerId, { readonly name: string; readonly exitCode: number; readonly atMs: number }>();

  add({ id, name, state }: ContainerRecord): void {
    this.#gone.set(id, { name, exitCode: state.exitCode, atMs: performance.now() });
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MOST_KEPT && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** By id, name or id prefix. */
  exitCodeOf(ref: string): number | undefined {
    const name = ref.replace(/^\//, '');
    const nowMs = performance.now();
    for (const [id, gone] of [...this.#gone].reverse()) {
      if (nowMs - gone.atMs > KEPT_MS) this.#gone.delete(id);
      else if (gone.name === name || (ref !== '' && id.startsWith(ref))) return gone.exitCode;
    }
    return undefined;
  }
}
