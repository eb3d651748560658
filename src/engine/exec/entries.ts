// Owns the execs that can be asked for: who has which, how long an outcome is kept. Starts none.

import { GantryError } from '../../lib/errors.ts';
import type { Run } from '../containers/index.ts';
import type { ExecRecord } from './types.ts';

/** One exec. */
export interface Entry {
  record: ExecRecord;
  started: boolean;
  run: Run | undefined;
  /** Resolved when the process runs, or never will. */
  readonly begun: PromiseWithResolvers<void>;
  /** Resolved when the record has the outcome. */
  settled: Promise<void>;
  /** Unix milliseconds; undefined before the end. */
  endedMs: number | undefined;
}

/** An outcome can be asked for at least this long. @source moby: exec garbage is collected after 5 minutes */
const KEPT_MS = 300_000;

/** Of a container that is removed: who has read the output of an exec that ended with it asks for the outcome only then. */
const JUST_ENDED_MS = 1000;

/** All execs of an engine, by id and by container. */
export class ExecEntries {
  readonly #byId = new Map<string, Entry>();
  readonly #byContainer = new Map<string, Set<string>>();
  #lookedMs = 0;

  /** @throws NO_SUCH_EXEC */
  get(id: string): Entry {
    const entry = this.#byId.get(id);
    if (!entry) throw new GantryError('notFound', 'NO_SUCH_EXEC', `No such exec instance: ${id}`, { params: { id } });
    return entry;
  }

  /** Also forgets what was kept long enough. */
  add(record: ExecRecord): Entry {
    this.#forgetOld(Date.now());
    const entry: Entry = {
      record,
      started: false,
      run: undefined,
      begun: Promise.withResolvers(),
      settled: Promise.resolve(),
      endedMs: undefined,
    };
    this.#byId.set(record.id, entry);
    const siblings = this.#byContainer.get(record.containerId) ?? new Set();
    this.#byContainer.set(record.containerId, siblings.add(record.id));
    return entry;
  }

  forget({ record: { id, containerId } }: Entry): void {
    this.#byId.delete(id);
    const siblings = this.#byContainer.get(containerId);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#byContainer.delete(containerId);
  }

  /** Ids of those that run. */
  runningOf(containerId: string): readonly string[] {
    return this.#of(containerId)
      .filter((entry) => entry.record.running)
      .map((entry) => entry.record.id);
  }

  /** The container runs no more: what was not started never will be. */
  containerStopped(containerId: string): void {
    for (const entry of this.#of(containerId)) if (!entry.started) this.forget(entry);
  }

  containerRemoved(containerId: string): void {
    const nowMs = Date.now();
    for (const { record, endedMs = nowMs } of this.#of(containerId)) {
      if (endedMs < nowMs - JUST_ENDED_MS) this.#byId.delete(record.id);
    }
    this.#byContainer.delete(containerId);
  }

  /** Lets go of all that run, which go on. */
  letGo(): void {
    for (const { run } of this.#byId.values()) run?.connection[Symbol.dispose]();
  }

  #of(containerId: string): readonly Entry[] {
    return [...(this.#byContainer.get(containerId) ?? [])].flatMap((id) => this.#byId.get(id) ?? []);
  }

  #forgetOld(nowMs: number): void {
    if (nowMs - this.#lookedMs < KEPT_MS / 10) return;
    this.#lookedMs = nowMs;
    for (const entry of this.#byId.values()) if ((entry.endedMs ?? nowMs) < nowMs - KEPT_MS) this.forget(entry);
  }
}
