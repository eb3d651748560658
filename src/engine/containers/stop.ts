// Owns ending, signalling, pausing and restarting runs.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import { parseSignal } from '../../spec/signals.ts';
import { type Context, publishContainer } from './context.ts';
import { notRunning } from './errors.ts';
import { removeSettled } from './removal.ts';
import { startRun } from './start.ts';
import { isAlive } from './state.ts';
import type { ContainerRecord } from './types.ts';

interface StopOptions {
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: string | undefined;
}

const SIGKILL = 9;
const SIGCONT = 18;
const DEFAULT_STOP_SECONDS = 10;
/** After SIGKILL a process may still be held by the kernel (a dead NFS server); waiting longer helps nobody. */
const KILL_PATIENCE_MS = 10_000;

/** See Containers.stop. */
export async function stop(context: Context, ref: string, options: StopOptions): Promise<void> {
  const record = context.records.find(ref);
  const { id, state } = record;
  if (state.phase === 'restarting') return stopRestarting(context, record);
  if (!isAlive(state.phase)) throw new GantryError('notModified', 'ALREADY_STOPPED', `container ${id} is not running`);
  await endRun(context, id, plan(record, options));
  const stopped = context.records.byId(id) ?? record;
  publishContainer(context, stopped, 'stop');
  await removeIfAutomatic(context, id);
}

async function stopRestarting(context: Context, record: ContainerRecord): Promise<void> {
  const live = context.lives.of(record.id);
  live.cancelRestart();
  await context.queue.run(record.id, async () => {
    const now = context.records.byId(record.id);
    if (now?.state.phase !== 'restarting') return;
    context.records.update(record.id, { state: { phase: 'exited', stoppedByHand: true } });
    live.announceExit({ exitCode: now.state.exitCode });
  });
}

/** Automatic removal was held back while somebody stopped the container. */
async function removeIfAutomatic(context: Context, id: string): Promise<void> {
  await context.queue.run(id, async () => {
    const record = context.records.byId(id);
    if (record?.hostConfig.AutoRemove && !isAlive(record.state.phase))
      await removeSettled(context, record, { volumes: true });
  });
}

function plan(record: ContainerRecord, options: StopOptions): { signal: number; timeoutSeconds: number } {
  const signal = parseSignal(options.signal || record.config.StopSignal || 'SIGTERM');
  const timeoutSeconds = options.timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_STOP_SECONDS;
  return { signal, timeoutSeconds };
}

/**
 * Ends the present run: the signal, then after `timeoutSeconds` (-1 = never) SIGKILL. Resolves when the exit is settled.
 * Restart policies and automatic removal are held back meanwhile.
 */
export async function endRun(
  context: Context,
  id: string,
  options: { readonly signal: number; readonly timeoutSeconds: number },
): Promise<void> {
  const live = context.lives.of(id);
  live.cancelRestart();
  live.stopping++;
  try {
    await context.queue.run(id, async () => {
      context.records.update(id, { state: { stoppedByHand: true } });
    });
    const record = context.records.byId(id);
    if (!record || !live.run) {
      await cancelRestarting(context, id);
      return;
    }
    if (record.state.phase === 'paused') await thaw(context, record);
    const exited = live.exited();
    await send(context, record, options.signal);
    if (await within(exited, options.timeoutSeconds < 0 ? undefined : options.timeoutSeconds * 1000)) return;
    if (options.signal !== SIGKILL || options.timeoutSeconds > 0) await send(context, record, SIGKILL);
    if (await within(exited, KILL_PATIENCE_MS)) return;
    throw new GantryError(
      'system',
      'CANNOT_KILL',
      `cannot stop container: ${id}: tried to kill container, but did not receive an exit event`,
    );
  } finally {
    live.stopping--;
  }
}

async function cancelRestarting(context: Context, id: string): Promise<void> {
  const record = context.records.byId(id);
  if (record?.state.phase === 'restarting') context.records.update(id, { state: { phase: 'exited' } });
}

/** True when `promise` settled in time; undefined waits for ever. */
async function within(promise: Promise<void>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) {
    await promise;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends and publishes; a process that has just ended is no failure. */
async function send(context: Context, record: ContainerRecord, signal: number): Promise<void> {
  const run = context.lives.of(record.id).run;
  await run?.connection.signal(signal).catch(() => undefined);
  publishContainer(context, record, 'kill', { signal: String(signal) });
}

/** See Containers.kill. */
export async function kill(context: Context, ref: string, signalText: string): Promise<void> {
  const { record, signal } = inKillsWords(ref, () => {
    const found = context.records.find(ref);
    const parsed = signalText === '' ? SIGKILL : parseSignal(signalText);
    const dead = !isAlive(found.state.phase) && found.state.phase !== 'restarting';
    if (dead) throw notRunning(found.id);
    return { record: found, signal: parsed };
  });
  const live = context.lives.of(record.id);
  if (record.state.phase === 'restarting') return stopRestarting(context, record);
  const stopSignal = parseSignal(record.config.StopSignal || 'SIGTERM');
  // A kill with the signal that stops cancels restart policies, as a stop does. @source dockerd 28.5
  if (signal === SIGKILL || signal === stopSignal)
    context.records.update(record.id, { state: { stoppedByHand: true } });
  await send(context, record, signal);
  if (record.state.phase === 'paused' && signal === SIGKILL) await thaw(context, record);
  if (signal === SIGKILL) await within(live.exited(), KILL_PATIENCE_MS);
}

/** Docker puts the verb and the name before whatever is wrong with a kill. @source dockerd 28.5 */
function inKillsWords<T>(ref: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isGantryError(error)) throw error;
    throw new GantryError(error.kind, error.code, `cannot kill container: ${ref}: ${error.message}`, {
      params: error.params,
    });
  }
}

async function thaw(context: Context, record: ContainerRecord): Promise<void> {
  await context.launcher.unpause(record);
  await context.lives
    .of(record.id)
    .run?.connection.signal(SIGCONT)
    .catch(() => undefined);
}

/** See Containers.restart. */
export async function restart(context: Context, ref: string, options: StopOptions): Promise<void> {
  const record = context.records.find(ref);
  const live = context.lives.of(record.id);
  live.stopping++;
  try {
    if (isAlive(record.state.phase)) {
      await endRun(context, record.id, plan(record, options));
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
export function pause(context: Context, ref: string): Promise<void> {
  const { id } = context.records.find(ref);
  return context.queue.run(id, async () => {
    const record = context.records.find(id);
    if (record.state.phase === 'paused') {
      throw new GantryError('conflict', 'ALREADY_PAUSED', `Container ${id} is already paused`);
    }
    if (record.state.phase !== 'running') throw notRunning(id);
    await context.launcher.pause(record);
    context.records.update(id, { state: { phase: 'paused' } });
    publishContainer(context, record, 'pause');
  });
}

/** See Containers.unpause. */
export function unpause(context: Context, ref: string): Promise<void> {
  const { id } = context.records.find(ref);
  return context.queue.run(id, async () => {
    const record = context.records.find(id);
    // 500, as Docker answers. @source docker-behaviours, dockerd 28.5
    if (record.state.phase !== 'paused') throw new GantryError('system', 'NOT_PAUSED', `Container ${id} is not paused`);
    await context.launcher.unpause(record);
    context.records.update(id, { state: { phase: 'running' } });
    publishContainer(context, record, 'unpause');
  });
}
