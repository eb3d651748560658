// The face of repair: checks of all content against the records, on request and in the background at a limited rate.
// Background checks change nothing. They report faults in the log, the metrics and the list of faults.

import { setTimeout as sleep } from 'node:timers/promises';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Database } from '../../store/database.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { Exchange, Route } from '../http/types.ts';
import type { CheckStep, Fault, StoreChecker } from '../repositories/types.ts';
import type { EventListener, Log } from '../types.ts';
import { RepairRecords } from './records.ts';

/** How often the background looks whether another pass is due, and the delay of the first look after a start. */
const LOOK_MS = 10 * 60_000;
/** How often the progress of a pass is stored. After a crash the pass continues from there. */
const KEEP_EVERY = 50;
const PROGRESS_MS = 500;

export interface RepairOptions {
  readonly repositories: StoreChecker;
  readonly database: Database;
  readonly log: Log;
  /** Between two background passes; 0: none. */
  readonly checkEveryMs: number;
  readonly checkBytesPerSecond: number;
  readonly isMirror: (repository: string) => boolean;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
  /** For tests: the delay of the first look, and the interval. */
  readonly lookMs?: number | undefined;
}

export interface Repair extends AsyncDisposable {
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** Faults that were found and not repaired. */
  faults(): number;
  /** Starts background checks. */
  start(): void;
}

export function createRepair(options: RepairOptions): Repair {
  return new Checker(options);
}

class Checker implements Repair {
  readonly #options: RepairOptions;
  readonly #records: RepairRecords;
  readonly #now: () => number;
  readonly #background: Periodic;
  readonly #aborter = new AbortController();
  #asked: Promise<unknown> | undefined;

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#records = new RepairRecords(options.database);
    const everyMs = options.lookMs ?? LOOK_MS;
    this.#background = new Periodic({
      everyMs: options.checkEveryMs > 0 ? everyMs : 0,
      run: (signal) => this.#pass(signal),
      onError: (error) => options.log('error', `check of the content: ${messageOf(error)}`),
    });
  }

  readonly listener: EventListener = ({ action, digest }) => {
    if (action === 'push') this.#records.brought(digest);
  };

  start(): void {
    this.#background.start();
  }

  faults(): number {
    return this.#records.count();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    await this.#background[Symbol.asyncDispose]();
    await this.#asked?.catch(() => undefined);
  }

  /** Runs a background pass when one is due or was interrupted. */
  async #pass(signal: AbortSignal): Promise<void> {
    const { repositories, checkEveryMs, isMirror, log } = this.#options;
    const state = this.#records.state();
    const isDue = state.isRunning || this.#now() - state.finishedMs >= checkEveryMs;
    if (!isDue) return;
    if (!state.isRunning) this.#records.begin(this.#now());
    const { startedMs, after } = this.#records.state();
    const pace = new Pace(this.#options.checkBytesPerSecond, signal);
    const onFault = (fault: Fault): void => {
      this.#records.found(fault, this.#now());
      log('error', `${fault.kind} content ${fault.digest}: ${fault.detail}`, { hurts: fault.hurts.join(' ') });
    };
    const onStep = async (step: CheckStep): Promise<void> => {
      if (step.blobs % KEEP_EVERY === 0) this.#records.reached(step.digest);
      await pace.keep(step.bytes);
    };
    await repositories.check({ isRepair: false, signal, after, isMirror, onFault, onStep });
    this.#records.finish(startedMs, this.#now());
  }

  get routes(): readonly Route[] {
    const shared = { path: '/v2/_gantry/check', right: 'admin', label: 'check' } as const;
    return [
      { ...shared, method: 'GET', handle: (exchange) => this.#show(exchange) },
      { ...shared, method: 'POST', handle: (exchange) => this.#check(exchange) },
    ];
  }

  #show(exchange: Exchange): void {
    const { startedMs, finishedMs, isRunning } = this.#records.state();
    const time = (ms: number): string | undefined => (ms === 0 ? undefined : new Date(ms).toISOString());
    const faults = this.#records.list();
    exchange.json(200, { isRunning, startedAt: time(startedMs), finishedAt: time(finishedMs), faults });
  }

  /** Checks now, and streams lines of progress, faults and finally the report. @throws CHECK_RUNNING */
  async #check(exchange: Exchange): Promise<void> {
    if (this.#asked) throw new GantryError('conflict', 'CHECK_RUNNING', 'a check is running already');
    const running = this.#run(exchange).finally(() => {
      this.#asked = undefined;
    });
    this.#asked = running;
    await running;
  }

  async #run({ query, response, signal: gone }: Exchange): Promise<void> {
    const { repositories, isMirror } = this.#options;
    const isRepair = query.get('repair') === 'true';
    const signal = AbortSignal.any([gone, this.#aborter.signal]);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    const tell = (line: unknown): void => void response.write(`${JSON.stringify(line)}\n`);
    const startedMs = this.#now();
    const onFault = (fault: Fault): void => {
      this.#records.found(fault, this.#now());
      tell({ fault });
    };
    let toldMs = 0;
    const onStep = ({ blobs, bytes }: CheckStep): void => {
      if (this.#now() - toldMs < PROGRESS_MS) return;
      toldMs = this.#now();
      tell({ progress: { blobs, bytes } });
    };
    try {
      const report = await repositories.check({ isRepair, signal, isMirror, onFault, onStep });
      this.#records.forget(startedMs);
      tell({ report });
    } catch (error) {
      if (signal.aborted) return;
      tell({ error: messageOf(error) });
    } finally {
      response.end();
    }
  }
}

/** Limits the rate of reading by pauses. */
class Pace {
  readonly #bytesPerSecond: number;
  readonly #signal: AbortSignal;
  readonly #beganMs = performance.now();

  constructor(bytesPerSecond: number, signal: AbortSignal) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#signal = signal;
  }

  async keep(bytes: number): Promise<void> {
    const aheadMs = (bytes / this.#bytesPerSecond) * 1000 - (performance.now() - this.#beganMs);
    if (aheadMs > 0) await sleep(aheadMs, undefined, { signal: this.#signal, ref: false });
  }
}
