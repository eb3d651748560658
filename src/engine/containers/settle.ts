// Owns what follows the end of a run: the record, the events, the restart policy, automatic removal, those who wait.

import { formatNano, nowNano, parseNano } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { type ExitRecord, readExitRecord, type ShimEvent } from '../../runtime/link/index.ts';
import { removeAutomatically } from './auto-removal.ts';
import { type Context, publishContainer } from './context.ts';
import { leaveNetworks } from './leave-networks.ts';
import { type Live, type Run, SHIM_END_MS } from './live.ts';
import { publishUnmounts } from './mount-events.ts';
import { releaseSharedMemory } from './shared-memory.ts';
import { startRun } from './start.ts';
import { nextDelayMs, restartsAfterExit } from './state.ts';
import type { ContainerRecord } from './types.ts';

/** How a run ended. */
export interface Exit {
  readonly code: number;
  readonly atUnixNs: bigint;
  readonly oomKilled: boolean;
}

/** The exit code of a run whose shim was killed: what is left of it is killed too. @source dockerd 28.5 for a lost shim */
const LOST_EXIT_CODE = 137;

/** Waits for the end of a run and settles it; when the engine closes first, the run goes on unsettled. Never rejects. */
export async function superviseRun(context: Context, id: string, run: Run): Promise<void> {
  watchOom(context, id, run);
  const end = await endOf(run);
  if (context.closing.aborted) return;
  await context.queue
    .run(id, async () => {
      if (end === undefined) await endLostRun(context, id, run);
      await settleExit(context, id, run, exitOf(end));
    })
    .catch((error: unknown) => {
      context.log('error', `container ${id}: settling its exit failed: ${messageOf(error)}`);
    });
}

/** Events of one message: many at once are reported together. */
const MOST_OOM_EVENTS = 10;

/** The kernel kills for memory whom it likes: the container may live on. @source dockerd 28.5: an event each, OOMKilled from then on */
function watchOom(context: Context, id: string, run: Run): void {
  const note = (more: number): void => {
    const before = context.records.byId(id);
    if (!before || context.lives.of(id).run !== run) return;
    if (!before.state.oomKilled) context.records.update(id, { state: { oomKilled: true } });
    for (let at = 0; at < Math.min(more, MOST_OOM_EVENTS); at++) publishContainer(context, before, 'oom');
  };
  const { connection } = run;
  connection.onOom(note);
  if (connection.oomKills > 0 && context.records.byId(id)?.state.oomKilled === false) note(connection.oomKills);
}

async function endOf(run: Run): Promise<ExitRecord | ShimEvent | undefined> {
  const event = await run.connection.until('exited').catch(() => undefined);
  return event ?? (await readExitRecord(run.dir).catch(() => undefined));
}

/** Its shim was killed: nobody takes its output or waits for it any more, so its processes end too. */
async function endLostRun(context: Context, id: string, run: Run): Promise<void> {
  const record = context.records.byId(id);
  if (!record || context.lives.of(id).run !== run) return;
  context.log('warn', `container ${id}: its shim is gone; ending it`);
  await context.launcher.sweep(record).catch((error: unknown) => {
    context.log('error', `container ${id}: ending it failed: ${messageOf(error)}`);
  });
}

/** The exit in a shim's last word, or the unknown one. */
export function exitOf(end: ExitRecord | ShimEvent | undefined): Exit {
  if (end?.kind === 'exited') return end;
  return { code: LOST_EXIT_CODE, atUnixNs: nowNano(), oomKilled: false };
}

/**
 * Runs inside the container's queue. `policy` says whether the restart policy answers this exit; with `later` the run is owed, and the
 * recovery starts it.
 */
export async function settleExit(
  context: Context,
  id: string,
  run: Run,
  exit: Exit,
  policy: 'now' | 'later' | 'never' = context.lives.of(id).stopping === 0 ? 'now' : 'never',
): Promise<void> {
  const live = context.lives.of(id);
  if (live.run !== run) return;
  live.run = undefined;
  live.previousClosed = run.end(SHIM_END_MS);
  live.outputEnded.abort();
  const before = context.records.byId(id);
  if (!before) return;
  context.health.stopped(id);
  if (exit.oomKilled && !before.state.oomKilled) publishContainer(context, before, 'oom');
  await leaveNetworks(context, id);
  releaseSharedMemory(context, before);
  const again = policy !== 'never' && wantsRestart(before, exit);
  const record = context.records.update(id, {
    endpoints: [],
    state: {
      phase: again ? 'restarting' : 'exited',
      // Counted with the decision: a daemon that dies before the start leaves no doubt whether the run is owed.
      ...(again && { restartCount: before.state.restartCount + 1 }),
      pid: 0,
      exitCode: exit.code,
      oomKilled: exit.oomKilled || before.state.oomKilled,
      finishedAt: formatNano(exit.atUnixNs),
    },
  });
  if (!record) return;
  const ranMs = ranForMs(record, exit);
  publishUnmounts(context, record);
  const execDuration = String(Math.max(0, Math.floor(ranMs / 1000)));
  publishContainer(context, record, 'die', { execDuration, exitCode: String(exit.code) });
  if (again && policy === 'now') scheduleRestart(context, record, live, ranMs);
  await afterExit(context, record, live, again);
}

async function afterExit(context: Context, record: ContainerRecord, live: Live, again: boolean): Promise<void> {
  const result = { exitCode: record.state.exitCode };
  if (!again && record.hostConfig.AutoRemove && live.stopping === 0) {
    await removeAutomatically(context, record, live);
    return;
  }
  live.announceExit(result);
}

function wantsRestart(record: ContainerRecord, exit: Exit): boolean {
  return restartsAfterExit(record.hostConfig.RestartPolicy, { ...record.state, exitCode: exit.code });
}

function ranForMs(record: ContainerRecord, exit: Exit): number {
  return Number((exit.atUnixNs - parseNano(record.state.startedAt)) / 1_000_000n);
}

function scheduleRestart(context: Context, record: ContainerRecord, live: Live, ranMs: number): void {
  if (context.closing.aborted) return;
  live.lastRestartDelayMs = nextDelayMs(live.lastRestartDelayMs, ranMs);
  live.restartTimer = setTimeout(() => {
    live.restartTimer = undefined;
    void context.queue
      .run(record.id, () => restartNow(context, record.id))
      .catch((error: unknown) => {
        context.log('error', `container ${record.id}: restart failed: ${messageOf(error)}`);
      });
  }, live.lastRestartDelayMs);
}

async function restartNow(context: Context, id: string): Promise<void> {
  const record = context.records.byId(id);
  if (record?.state.phase !== 'restarting' || context.closing.aborted) return;
  await startRun(context, record);
}
