// Owns running durable jobs: which, when, how many in parallel, retries and an orderly end. Stores them by table.ts.

import { messageOf } from '../../lib/errors.ts';
import type { Database } from '../database.ts';
import { type JobRow, JobTable } from './table.ts';
import type { Job, JobQueue, QueueOptions } from './types.ts';

/** Below the limit of setTimeout; waking early costs one query. */
const SLEEP_MAX_MS = 3_600_000;
const SLEEP_MIN_MS = 10;
/** The pause after the records could not be read or written. */
const TROUBLE_MS = 5000;
const BOUND_EVERY = 1000;
/** Random part of a pause, so that many jobs do not retry at the same moment. */
const JITTER = 1 / 4;

/** Opens a queue over the jobs in `database`. Nothing runs before `start`. */
export function createQueue<T>(database: Database, options: QueueOptions<T>): JobQueue<T> {
  return new Queue(database, options);
}

class Queue<T> implements JobQueue<T> {
  readonly #options: QueueOptions<T>;
  readonly #table: JobTable;
  readonly #now: () => number;
  readonly #aborter = new AbortController();
  readonly #running = new Map<number, Promise<void>>();
  #added = 0;
  #isStarted = false;
  #isAwake = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, options: QueueOptions<T>) {
    this.#options = options;
    this.#table = new JobTable(database, options.name);
    this.#now = options.now ?? Date.now;
  }

  add(key: string, payload: T): void {
    this.#table.add(key, JSON.stringify(payload));
    this.#bound();
    this.#wake();
  }

  replace(key: string, payload: T): void {
    this.#table.replace(key, JSON.stringify(payload));
    this.#bound();
    this.#wake();
  }

  cancel(key: string): void {
    this.#table.cancel(key);
  }

  state(key: string) {
    const found = this.#table.find(key);
    return found && { isDead: found.isDead, attempts: found.attempts, error: found.error };
  }

  start(): void {
    this.#isStarted = true;
    this.#wake();
  }

  counts() {
    return this.#table.counts();
  }

  lastError(): string {
    return this.#table.lastError();
  }

  dead(after: number, limit: number): readonly Job<T>[] {
    return this.#table.dead(after, limit).map(jobOf<T>);
  }

  requeue(id: number): boolean {
    const isRequeued = this.#table.requeue(id);
    if (isRequeued) this.#wake();
    return isRequeued;
  }

  drop(id: number): boolean {
    return this.#table.drop(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#aborter.abort();
    await Promise.all(this.#running.values());
  }

  #bound(): void {
    const { name, pendingMax = Number.MAX_SAFE_INTEGER, deadMax = Number.MAX_SAFE_INTEGER, onTrouble } = this.#options;
    if (++this.#added % BOUND_EVERY !== 0) return;
    const over = this.#table.bound(pendingMax, deadMax);
    if (over > 0) onTrouble(`${name}: ${over} jobs were given up, too many are waiting`);
  }

  /** Looks for work after this turn of the event loop, when the transaction that added a job has ended. */
  #wake(): void {
    if (!this.#isStarted || this.#isAwake) return;
    this.#isAwake = true;
    clearTimeout(this.#timer);
    setImmediate(() => {
      this.#isAwake = false;
      this.#look();
    });
  }

  /** Starts as many due jobs as may run in parallel, then sleeps until more are due. */
  #look(): void {
    if (!this.#isStarted) return;
    clearTimeout(this.#timer);
    try {
      const free = this.#options.atOnce - this.#running.size;
      if (free <= 0) return;
      const nowMs = this.#now();
      const due = this.#table.due(nowMs, free + this.#running.size).filter(({ id }) => !this.#running.has(id));
      for (const row of due.slice(0, free)) this.#begin(row);
      if (due.length < free) this.#sleep((this.#table.nextDueMs(nowMs) ?? Number.POSITIVE_INFINITY) - nowMs);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #sleep(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(ms, SLEEP_MIN_MS), SLEEP_MAX_MS)).unref();
  }

  #trouble(error: unknown): void {
    this.#options.onTrouble(`${this.#options.name}: ${messageOf(error)}`);
    this.#sleep(TROUBLE_MS);
  }

  #begin(row: JobRow): void {
    const run = this.#run(row)
      .catch((error: unknown) => this.#trouble(error))
      .finally(() => {
        this.#running.delete(row.id);
        this.#look();
      });
    this.#running.set(row.id, run);
  }

  async #run(row: JobRow): Promise<void> {
    const job = jobOf<T>(row);
    const failure = await attempt(() => this.#options.work(job, this.#aborter.signal));
    // A job that disposal aborted has not failed: it is due at the next start.
    if (failure !== undefined && !this.#isStarted) return;
    if (failure === undefined) {
      this.#table.done(row);
      this.#options.onOutcome?.(job, { kind: 'done' });
      return;
    }
    const attempts = row.attempts + 1;
    const isDead = attempts >= (this.#options.attemptsMax ?? Number.POSITIVE_INFINITY);
    this.#table.failed(row, failure, this.#now() + this.#pauseMs(attempts), isDead);
    this.#options.onOutcome?.(job, { kind: isDead ? 'dead' : 'failed', attempts, message: failure });
  }

  #pauseMs(attempts: number): number {
    const { firstMs, longestMs } = this.#options.pause;
    const pauseMs = Math.min(firstMs * 2 ** Math.min(attempts - 1, 40), longestMs);
    return Math.round(pauseMs * (1 + Math.random() * JITTER));
  }
}

/** Why `work` failed, or undefined. */
async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return messageOf(error) || 'it failed';
  }
}

function jobOf<T>({ id, key, payload, attempts, error }: JobRow): Job<T> {
  return { id, key, payload: JSON.parse(payload) as T, attempts, error };
}
