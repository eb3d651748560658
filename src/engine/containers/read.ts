// Owns the verbs that only look: view, list, logs, size, processes.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GantryError } from '../../lib/errors.ts';
import { readLog } from '../logs/index.ts';
import { folderBytes } from '../volumes/index.ts';
import { type Context, publishContainer } from './context.ts';
import { isRestarting, notRunning } from './errors.ts';
import { filterRecords } from './filter.ts';
import { isActive, isAlive } from './state.ts';
import type { ContainerRecord, ContainerSize, ContainerView, ListFilter, LogsRequest, TopResult } from './types.ts';

const run = promisify(execFile);

/** A record with the facts around it. */
export function viewOf(context: Context, record: ContainerRecord): ContainerView {
  return {
    record,
    paths: context.paths(record.id),
    health: context.health.of(record.id),
    execIds: isAlive(record.state.phase) ? context.execIds(record.id) : [],
    lowerDirs: context.images.layerPaths(record.imageId),
  };
}

/** See Containers.list: newest first. */
export function list(context: Context, { all, limit, filters }: ListFilter): readonly ContainerView[] {
  // A status asked for, or a number of last ones, means all states. @source dockerd 28.5
  const everyPhase = all || limit !== undefined || filters.has('status');
  const records = everyPhase
    ? context.records.all()
    : context.records.all().filter(({ state }) => isActive(state.phase));
  const found = filterRecords(context, records, filters).toReversed();
  return found.slice(0, limit ?? found.length).map((record) => viewOf(context, record));
}

/** See Containers.logs. */
export function logs(context: Context, ref: string, request: LogsRequest, signal: AbortSignal) {
  const record = context.records.find(ref);
  if (record.logDriver === 'none') {
    throw new GantryError('notImplemented', 'LOG_NOT_READABLE', 'configured logging driver does not support reading');
  }
  const tty = record.config.Tty === true;
  const source = { path: context.paths(record.id).log, ended: context.lives.of(record.id).outputEnded.signal };
  return { tty, chunks: readLog(source, { ...request, tty }, signal) };
}

/** See Containers.size. */
export async function size(context: Context, ref: string): Promise<ContainerSize> {
  const record = context.records.find(ref);
  const sizeRwBytes = await folderBytes(context.paths(record.id).upper);
  let imageBytes = 0;
  try {
    imageBytes = context.images.get(record.imageId).sizeBytes;
  } catch {
    // The image's record may be gone while its layers are still held.
  }
  return { sizeRwBytes, sizeRootFsBytes: sizeRwBytes + imageBytes };
}

/** See Containers.top. `ps` runs on the host; its rows are kept when their PID belongs to the container. */
export async function top(context: Context, ref: string, psArgs: string): Promise<TopResult> {
  const record = context.records.find(ref);
  if (!isAlive(record.state.phase)) {
    if (record.state.phase === 'restarting') throw isRestarting(record.id);
    throw notRunning(record.id);
  }
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  checkPsArgs(args);
  const pids = new Set((await context.launcher.pids(record)).map(String));
  const result = parsePs(await psOutput(args, [...pids]), pids);
  publishContainer(context, record, 'top');
  return result;
}

/**
 * Asked for the container's processes by number: columns alone (`-o pid`) would select those of the daemon's own terminal. Some options
 * (`f`) forbid numbers, so a failure means another try without. @source moby daemon/top_unix.go
 */
async function psOutput(args: readonly string[], pids: readonly string[]): Promise<string> {
  const ps = async (all: readonly string[]): Promise<string> =>
    (await run('ps', all, { maxBuffer: MOST_PS_BYTES })).stdout;
  const byNumber = pids.length > 0 ? await ps([...args, `-q${pids.join(',')}`]).catch(() => undefined) : undefined;
  if (byNumber !== undefined) return byNumber;
  return ps(args).catch((error: { stderr?: string; code?: unknown; message: string }) => {
    const [said = ''] = (error.stderr ?? '').split('\n');
    const why = said || (typeof error.code === 'number' ? `exit status ${error.code}` : error.message);
    throw new GantryError('system', 'PS_FAILED', `ps: ${why}`);
  });
}

const MOST_PS_BYTES = 16 * 1024 * 1024;

/** Another column called PID would let a caller see processes of others by it. @source moby daemon/top_unix.go validatePSArgs */
export function checkPsArgs(args: readonly string[]): void {
  for (const arg of args) {
    const [, column = '', title = ''] = /(?:^|,)([^,=]*)=\s*(PID\S*)/.exec(arg) ?? [];
    if (title !== '') throw new GantryError('invalid', 'PS_ARGS', `specifying "${column}=${title}" is not allowed`);
    if (/(?:^|\s|,)\s*pid\s*=\s*./i.test(arg)) {
      throw new GantryError('invalid', 'PS_ARGS', 'specifying "PID=..." is not allowed');
    }
  }
}

/** Keeps the header and the rows of `pids`. @throws PS_NO_PID */
export function parsePs(text: string, pids: ReadonlySet<string>): TopResult {
  const [header = '', ...rows] = text.split('\n');
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) throw new GantryError('system', 'PS_NO_PID', "Couldn't find PID field in ps output");
  const processes: string[][] = [];
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    if (!pids.has(fields[pidColumn] ?? '')) continue;
    // The last title is the command, which may hold spaces.
    const last = titles.length - 1;
    processes.push([...fields.slice(0, last), fields.slice(last).join(' ')]);
  }
  return { titles, processes };
}

/** Where a container's files lie below the engine's container folder. */
export function pathsOf(dir: string, id: string) {
  const own = join(dir, id);
  return {
    dir: own,
    resolvConf: join(own, 'resolv.conf'),
    hostname: join(own, 'hostname'),
    hosts: join(own, 'hosts'),
    log: join(own, `${id}-json.log`),
    shm: join(own, 'shm'),
    upper: join(own, 'rw', 'upper'),
    work: join(own, 'rw', 'work'),
  };
}
