// Owns taking up what a killed daemon left: runs that go on, runs that ended meanwhile, half-made and half-removed things.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../host/remove-tree.ts';
import { formatNano, parseNano } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { type ExitRecord, readExitRecord } from '../../runtime/link/index.ts';
import type { Context } from './context.ts';
import { type Run, SHIM_END_MS } from './live.ts';
import { exitOf, settleExit } from './settle.ts';
import { detach } from './shared-memory.ts';
import { startRun } from './start.ts';
import { isAlive, restartsWithDaemon } from './state.ts';
import type { ContainerRecord, ContainerState } from './types.ts';

/** What is true of one container when the daemon comes back. */
export interface RecoveryFacts {
  /** The newest word of a shim that still lives; `silent` when it says nothing. */
  readonly shim?: 'ready' | 'started' | 'exited' | 'failed' | 'silent' | undefined;
  /** What a shim left on disk. */
  readonly exit?: ExitRecord | undefined;
}

export type RecoveryStep = 'adopt' | 'abandon' | 'settle' | 'nothing';

/** What to do about one container. Pure. */
export function reconcile(state: ContainerState, { shim, exit }: RecoveryFacts): RecoveryStep {
  if (shim === 'started') return 'adopt';
  // It may be stopped (SIGSTOP): the process goes on, and so does the shim some day.
  if (shim === 'silent' && isAlive(state.phase)) return 'adopt';
  // A start that was never finished: the client got no answer, so the container is as before.
  if (shim === 'ready' || shim === 'silent') return 'abandon';
  if (isAlive(state.phase)) return 'settle';
  // The process ran and ended before its start was noted.
  return exit?.kind === 'exited' && exit.atUnixNs > parseNano(state.finishedAt) ? 'settle' : 'nothing';
}

/** Brings records and reality together, then applies restart policies. Resolves when all containers may be used. */
export async function recover(context: Context): Promise<void> {
  const adopted = await Promise.all(context.records.all().map((record) => recoverOne(context, record)));
  const alive = adopted.filter((one) => one !== undefined);
  await context.networks.recover(
    alive.flatMap(({ record: { id, endpoints } }) => endpoints.map((endpoint) => ({ containerId: id, endpoint }))),
  );
  // Not before: the end of a run leaves networks, which must know of it by then.
  for (const { record, run } of alive) {
    context.supervise(record.id, run);
    context.health.started(record);
  }
  await sweepFolders(context);
  await context.launcher.sweepOrphans(
    new Set(context.records.all().map(({ id }) => id)),
    (work) =>
      void work.catch((error: unknown) => context.log('warn', `sweeping an orphaned shim failed: ${messageOf(error)}`)),
  );
  context.background(applyRestartPolicies(context));
}

/** A container that runs on, with its run. */
interface Adopted {
  readonly record: ContainerRecord;
  readonly run: Run;
}

async function recoverOne(context: Context, record: ContainerRecord): Promise<Adopted | undefined> {
  try {
    return await reconcileOne(context, record);
  } catch (error) {
    context.log('error', `container ${record.id}: recovery failed: ${messageOf(error)}`);
    return undefined;
  }
}

async function reconcileOne(context: Context, record: ContainerRecord): Promise<Adopted | undefined> {
  const run = await context.launcher.adopt(record.id);
  const latest = run?.connection.latest;
  const shim = run && shimFact(run);
  const exit = latest?.kind === 'exited' ? latest : await readExitRecord(context.launcher.runDir(record.id));
  switch (reconcile(record.state, { shim, exit })) {
    case 'adopt':
      return run && adoptRun(context, record, run);
    case 'abandon':
      await abandonRun(run, shim === 'silent');
      break;
    case 'settle':
      await settleMissed(context, record, run, exit);
      break;
    case 'nothing':
      break;
  }
  // A shim that is about to end cleans up itself; the next start waits for it.
  if (run) context.lives.of(record.id).previousClosed = run.end(SHIM_END_MS);
  else await context.launcher.sweep(record);
  if (record.endpoints.length > 0) context.records.update(record.id, { endpoints: [] });
  detach(context.paths(record.id).shm);
  return undefined;
}

function shimFact(run: Run): RecoveryFacts['shim'] {
  const { latest } = run.connection;
  if (latest === undefined) return 'silent';
  return latest.kind === 'closed' ? undefined : latest.kind;
}

async function abandonRun(run: Run | undefined, silent: boolean): Promise<void> {
  if (silent) await run?.end(0);
  else await run?.connection.abandon().catch(() => undefined);
}

/** A run that was under way; its start may not have been noted yet. */
function adoptRun(context: Context, record: ContainerRecord, run: Run): Adopted | undefined {
  const { latest } = run.connection;
  const live = context.lives.of(record.id);
  live.run = run;
  live.outputEnded = new AbortController();
  if (latest === undefined) {
    context.log('warn', `container ${record.id}: its shim does not answer; taken as ${record.state.phase}`);
    return { record, run };
  }
  const phase = record.state.phase === 'paused' ? 'paused' : 'running';
  const missed =
    latest.kind === 'started' && !isAlive(record.state.phase)
      ? { startedAt: formatNano(latest.atUnixNs), exitCode: 0, error: '', oomKilled: false }
      : {};
  const pid = latest.kind === 'started' ? latest.pid : record.state.pid;
  const adopted = context.records.update(record.id, { state: { ...missed, phase, pid } });
  return adopted && { record: adopted, run };
}

/** An exit that happened while no daemon listened. Restart policies are applied afterwards, with the others'. */
async function settleMissed(
  context: Context,
  record: ContainerRecord,
  run: Run | undefined,
  exit: ExitRecord | undefined,
): Promise<void> {
  const live = context.lives.of(record.id);
  const ended: Run = run ?? { dir: '', connection: GONE, closed: Promise.resolve(), end: () => Promise.resolve() };
  live.run = ended;
  live.stopping++;
  try {
    const end = exitOf(exit);
    if (!isAlive(record.state.phase)) {
      context.records.update(record.id, { state: { startedAt: formatNano(end.atUnixNs), error: '' } });
    }
    // A run of which nobody knows how it ended (the machine went down, say) counts for no policy; it starts with the daemon.
    await settleExit(context, record.id, ended, end, exit?.kind === 'exited' ? 'later' : 'never');
  } finally {
    live.stopping--;
  }
}

/** Stands for the connection of a shim that no longer exists. */
const GONE: Run['connection'] = {
  latest: { kind: 'closed' },
  oomKills: 0,
  onOom: () => undefined,
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
    if (context.records.byId(name)) continue;
    detach(join(dir, name, 'shm'));
    context.background(removeTree(join(dir, name)));
  }
}

async function applyRestartPolicies(context: Context): Promise<void> {
  for (const { id } of context.records.all()) {
    await context.queue.run(id, async () => {
      const record = context.records.byId(id);
      if (!record || isAlive(record.state.phase)) return;
      if (!restartsWithDaemon(record.hostConfig.RestartPolicy, record.state)) {
        // It was stopped while it waited for its restart, and the daemon died before both were noted.
        if (record.state.phase === 'restarting') context.records.update(id, { state: { phase: 'exited' } });
        return;
      }
      await startRun(context, record).catch((error: unknown) => {
        context.log('error', `container ${id}: restart with the daemon failed: ${messageOf(error)}`);
      });
    });
  }
}
