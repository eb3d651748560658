// Owns ending, signalling, pausing and restarting runs.

import { GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { span } from '../../lib/trace.ts';
import { within } from '../../lib/within.ts';
import { parseSignal } from '../../spec/signals.ts';
import { type Context, publishContainer } from './context.ts';
import { isRestarting, notRunning } from './errors.ts';
import type { Run } from './live.ts';
import { removeSettled } from './removal.ts';
import { startRun } from './start.ts';
import { isActive, isAlive } from './state.ts';
import type { ContainerRecord } from './types.ts';

interface StopOptions {
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: string | undefined;
}

const SIGKILL = 9;
const DEFAULT_STOP_SECONDS = 10;
/** After SIGKILL a process may still be held by the kernel (a dead NFS server); waiting longer helps nobody. */
const KILL_PATIENCE_MS = 10_000;
/** A shim that lives passes a signal on within milliseconds. */
const SIGNAL_LIMIT_MS = 3000;
/** From a SIGKILL that went past a silent shim to the end of the process, which nobody reports. */
const UNREPORTED_MS = 500;

/** See Containers.stop. */
export async function stop(context: Context, ref: string, options: StopOptions): Promise<void> {
  const record = context.records.find(ref);
  const { id, state } = record;
  if (!isActive(state.phase)) throw new GantryError('notModified', 'ALREADY_STOPPED', `container ${id} is not running`);
  await endRun(context, id, stopPlan(context, record, options));
  const stopped = context.records.byId(id) ?? record;
  publishContainer(context, stopped, 'stop');
  await removeIfAutomatic(context, id);
}

/** Automatic removal was held back while somebody stopped the container. */
async function removeIfAutomatic(context: Context, id: string): Promise<void> {
  await context.queue.run(id, async () => {
    const record = context.records.byId(id);
    if (record?.hostConfig.AutoRemove && !isAlive(record.state.phase))
      await removeSettled(context, record, { volumes: true });
  });
}

/** How a container is stopped: by the request, by what it says itself, by the daemon's default. */
export function stopPlan(
  { defaults }: Context,
  record: ContainerRecord,
  options: StopOptions,
): { signal: number; timeoutSeconds: number } {
  const signal = parseSignal(options.signal || record.config.StopSignal || 'SIGTERM');
  const timeoutSeconds =
    options.timeoutSeconds ?? record.config.StopTimeout ?? defaults().stopTimeoutSeconds ?? DEFAULT_STOP_SECONDS;
  return { signal, timeoutSeconds };
}

/**
 * Ends the present run: the signal, then after `timeoutSeconds` (-1 = never) SIGKILL. Resolves when the exit is settled.
 * Restart policies and automatic removal are held back meanwhile.
 */
export async function endRun(
  context: Context,
  id: string,
  {
    signal,
    timeoutSeconds,
    byHand = true,
  }: { readonly signal: number; readonly timeoutSeconds: number; readonly byHand?: boolean | undefined },
): Promise<void> {
  const live = context.lives.of(id);
  live.stopping++;
  try {
    const present = await context.queue.run(id, () => prepareEnd(context, id, byHand));
    if (!present) return;
    let heard = await send(context, id, signal);
    const limitMs = timeoutSeconds < 0 ? undefined : timeoutSeconds * 1000;
    if (await span('exit', () => within(present.exited, limitMs))) return;
    if (signal !== SIGKILL || timeoutSeconds > 0) heard = await send(context, id, SIGKILL);
    if (await killed(context, id, present, heard)) return;
    throw new GantryError(
      'system',
      'CANNOT_KILL',
      `cannot stop container: ${id}: tried to kill container, but did not receive an exit event`,
    );
  } finally {
    live.stopping--;
  }
}

/** The present run and its end. */
interface Present {
  readonly run: Run;
  readonly exited: Promise<void>;
}

/** Cancels a restart that waits; otherwise answers the present run, whose end is not to be waited for here. */
async function prepareEnd(context: Context, id: string, byHand: boolean): Promise<Present | undefined> {
  const live = context.lives.of(id);
  live.cancelRestart();
  const record = byHand ? context.records.update(id, { state: { stoppedByHand: true } }) : context.records.byId(id);
  if (!record) return undefined;
  if (live.run) return { run: live.run, exited: live.exited() };
  if (record.state.phase === 'restarting') {
    context.records.update(id, { state: { phase: 'exited' } });
    live.announceExit({ exitCode: record.state.exitCode });
  }
  return undefined;
}

/** True when the run is settled after a SIGKILL. A shim that did not hear of it never reports the end, so it is killed too. */
async function killed(context: Context, id: string, { run, exited }: Present, heard: boolean): Promise<boolean> {
  if (await within(exited, heard ? KILL_PATIENCE_MS : UNREPORTED_MS)) return true;
  if (heard) return false;
  context.log('warn', `container ${id}: its shim does not answer; killing it`);
  await run.end(0);
  return within(exited, KILL_PATIENCE_MS);
}

/**
 * Sends and publishes; a process that has just ended is no failure. A signal that is to end a paused container thaws it, as
 * Docker does: a frozen process takes none.
 * @returns false when the shim kept silent, so that the signal went past it
 */
async function send(context: Context, id: string, signal: number): Promise<boolean> {
  const heard = await passOn(context.lives.of(id).run, signal);
  const record = context.records.byId(id);
  if (!record) return heard;
  if (!heard) await context.launcher.signal(record, signal);
  publishContainer(context, record, 'kill', { signal: String(signal) });
  if (record.state.phase === 'paused' && thaws(record, signal)) await thaw(context, id);
  return heard;
}

async function passOn(run: Run | undefined, signal: number): Promise<boolean> {
  try {
    await run?.connection.signal(signal, SIGNAL_LIMIT_MS);
    return true;
  } catch (error) {
    return !(isGantryError(error) && error.code === 'SHIM_SILENT');
  }
}

/** @source dockerd 28.5: any signal when the container names none to stop by */
function thaws({ config }: ContainerRecord, signal: number): boolean {
  return signal === SIGKILL || !config.StopSignal || signal === parseSignal(config.StopSignal);
}

/** See Containers.kill. */
export async function kill(context: Context, ref: string, signalText: string): Promise<void> {
  const { record, signal } = withKillPrefix(ref, () => {
    const found = context.records.find(ref);
    const parsed = signalText === '' ? SIGKILL : parseSignal(signalText);
    if (!isActive(found.state.phase)) throw notRunning(found.id);
    return { record: found, signal: parsed };
  });
  const { id } = record;
  if (record.state.phase === 'restarting') return endRun(context, id, { signal, timeoutSeconds: 0 });
  const stopSignal = parseSignal(record.config.StopSignal || 'SIGTERM');
  // A kill with the signal that stops cancels restart policies, as a stop does. @source dockerd 28.5
  if (signal === SIGKILL || signal === stopSignal) context.records.update(id, { state: { stoppedByHand: true } });
  const live = context.lives.of(id);
  const present = live.run && { run: live.run, exited: live.exited() };
  const heard = await send(context, id, signal);
  if (signal === SIGKILL && present) await killed(context, id, present, heard);
}

/** Docker puts the verb and the name before whatever is wrong with a kill. @source dockerd 28.5 */
function withKillPrefix<T>(ref: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isGantryError(error)) throw error;
    throw error.prefixed(`cannot kill container: ${ref}: `);
  }
}

async function thaw(context: Context, id: string): Promise<void> {
  await context.queue.run(id, async () => {
    const record = context.records.byId(id);
    if (record?.state.phase !== 'paused') return;
    await thawNow(context, record).catch((error: unknown) => {
      // It may have ended meanwhile.
      context.log('warn', `container ${id}: it could not be resumed: ${messageOf(error)}`);
    });
  });
}

/** Runs inside the container's queue. */
async function thawNow(context: Context, record: ContainerRecord): Promise<void> {
  await context.launcher.unpause(record);
  context.records.update(record.id, { state: { phase: 'running' } });
  publishContainer(context, record, 'unpause');
}

/** See Containers.restart. */
export async function restart(context: Context, ref: string, options: StopOptions): Promise<void> {
  const record = context.records.find(ref);
  const live = context.lives.of(record.id);
  live.stopping++;
  try {
    if (isActive(record.state.phase)) {
      await endRun(context, record.id, stopPlan(context, record, options));
      publishContainer(context, record, 'stop');
    }
    await context.queue.run(record.id, async () => {
      live.cancelRestart();
      const now = context.records.find(record.id);
      if (isAlive(now.state.phase)) return;
      await startRun(
        context,
        context.records.update(now.id, { state: { stoppedByHand: false, restartCount: 0 } }) ?? now,
      );
    });
  } finally {
    live.stopping--;
  }
  publishContainer(context, record, 'restart');
}

/** See Containers.pause. */
export async function pause(context: Context, ref: string): Promise<void> {
  const { id } = context.records.find(ref);
  return context.queue.run(id, async () => {
    const record = context.records.find(id);
    if (record.state.phase === 'paused') {
      throw new GantryError('conflict', 'ALREADY_PAUSED', `Container ${id} is already paused`);
    }
    if (record.state.phase === 'restarting') throw isRestarting(id);
    if (record.state.phase !== 'running') throw notRunning(id);
    await context.launcher.pause(record);
    context.records.update(id, { state: { phase: 'paused' } });
    publishContainer(context, record, 'pause');
  });
}

/** See Containers.unpause. */
export async function unpause(context: Context, ref: string): Promise<void> {
  const { id } = context.records.find(ref);
  return context.queue.run(id, async () => {
    const record = context.records.find(id);
    // 500, as Docker answers. @source docker-behaviours, dockerd 28.5
    if (record.state.phase !== 'paused') throw new GantryError('system', 'NOT_PAUSED', `Container ${id} is not paused`);
    await thawNow(context, record);
  });
}
