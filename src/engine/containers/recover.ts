// Owns taking up what a killed daemon left: runs that go on, runs that ended meanwhile, half-made and half-removed things.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { type ExitRecord, readExitRecord } from '../../runtime/link/index.ts';
import type { Context } from './context.ts';
import type { Run } from './live.ts';
import { exitOf, settleExit } from './settle.ts';
import { startRun } from './start.ts';
import { isAlive, restartsWithDaemon } from './state.ts';
import type { ContainerRecord, ContainerState } from './types.ts';

/** What is true of one container when the daemon comes back. */
export interface RecoveryFacts {
  /** The newest word of a shim that still answers. */
  readonly shim?: { readonly phase: 'ready' | 'started' | 'exited' | 'failed'; readonly pid: number } | undefined;
  /** What a shim left on disk. */
  readonly exit?: ExitRecord | undefined;
}

export type RecoveryStep = 'adopt' | 'abandon' | 'settle' | 'nothing';

/** What to do about one container. Pure. */
export function reconcile(state: ContainerState, { shim, exit }: RecoveryFacts): RecoveryStep {
  if (shim?.phase === 'started') return 'adopt';
  // A start that was never finished: the client got no answer, so the container is as before.
  if (shim?.phase === 'ready') return 'abandon';
  if (shim?.phase === 'exited' && isAlive(state.phase)) return 'settle';
  if (isAlive(state.phase)) return 'settle';
  // The process ran and ended before its start was noted.
  if (exit?.kind === 'exited' && state.phase === 'restarting') return 'settle';
  return 'nothing';
}

/** Brings records and reality together, then applies restart policies. Resolves when all containers may be used. */
export async function recover(context: Context): Promise<void> {
  const adopted = await Promise.all(context.records.all().map((record) => recoverOne(context, record)));
  const alive = adopted.filter((record): record is ContainerRecord => record !== undefined);
  await context.networks.recover(
    alive.flatMap(({ id, endpoints }) => endpoints.map((endpoint) => ({ containerId: id, endpoint }))),
  );
  await sweepFolders(context);
  await context.launcher.sweepOrphans(
    new Set(context.records.all().map(({ id }) => id)),
    (work) => void work.catch(() => undefined),
  );
  context.background(applyRestartPolicies(context));
}

async function recoverOne(context: Context, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  try {
    return await reconcileOne(context, record);
  } catch (error) {
    context.log('error', `container ${record.id}: recovery failed: ${messageOf(error)}`);
    return undefined;
  }
}

async function reconcileOne(context: Context, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  const run = await context.launcher.adopt(record.id);
  const exit = run ? undefined : await readExitRecord(context.launcher.runDir(record.id));
  const latest = run?.connection.latest;
  const shim =
    latest && latest.kind !== 'closed'
      ? { phase: latest.kind, pid: latest.kind === 'started' ? latest.pid : 0 }
      : undefined;
  switch (reconcile(record.state, { shim, exit })) {
    case 'adopt':
      return run && adoptRun(context, record, run, shim?.pid ?? record.state.pid);
    case 'abandon':
      await run?.connection.abandon().catch(() => undefined);
      await run?.closed;
      break;
    case 'settle':
      await settleMissed(context, record, run, exit);
      break;
    case 'nothing':
      break;
  }
  if (!run) await context.launcher.sweep(record);
  return undefined;
}

function adoptRun(context: Context, record: ContainerRecord, run: Run, pid: number): ContainerRecord | undefined {
  const live = context.lives.of(record.id);
  live.run = run;
  live.outputEnded = new AbortController();
  const phase = record.state.phase === 'paused' ? 'paused' : 'running';
  const adopted = context.records.update(record.id, { state: { phase, pid } });
  context.supervise(record.id, run);
  if (adopted) context.health.started(adopted);
  return adopted;
}

/** An exit that happened while no daemon listened. Restart policies are applied afterwards, with the others'. */
async function settleMissed(
  context: Context,
  record: ContainerRecord,
  run: Run | undefined,
  exit: ExitRecord | undefined,
): Promise<void> {
  const live = context.lives.of(record.id);
  const ended: Run = run ?? { dir: '', connection: GONE, closed: Promise.resolve() };
  live.run = ended;
  live.stopping++;
  try {
    await settleExit(context, record.id, ended, exitOf(run?.connection.latest ?? exit));
  } finally {
    live.stopping--;
  }
}

/** Stands for the connection of a shim that no longer exists. */
const GONE: Run['connection'] = {
  latest: { kind: 'closed' },
  until: () => Promise.reject(new Error('the shim is gone')),
  start: () => Promise.reject(new Error('the shim is gone')),
  signal: () => Promise.reject(new Error('the shim is gone')),
  resize: () => Promise.reject(new Error('the shim is gone')),
  closeStdin: () => Promise.reject(new Error('the shim is gone')),
  abandon: () => Promise.resolve(),
  [Symbol.dispose]: () => undefined,
};

/** Frees folders without a record: creations that were not finished, removals that were not either. */
async function sweepFolders(context: Context): Promise<void> {
  const dir = join(context.paths('x').dir, '..');
  for (const name of await readdir(dir)) {
    if (!context.records.byId(name)) context.background(rm(join(dir, name), { recursive: true, force: true }));
  }
}

async function applyRestartPolicies(context: Context): Promise<void> {
  for (const { id } of context.records.all()) {
    await context.queue.run(id, async () => {
      const record = context.records.byId(id);
      if (!record || isAlive(record.state.phase) || !restartsWithDaemon(record.hostConfig.RestartPolicy, record.state))
        return;
      await startRun(context, record).catch((error: unknown) => {
        context.log('error', `container ${id}: restart with the daemon failed: ${messageOf(error)}`);
      });
    });
  }
}
