// Owns what exists of a container only while this process lives: its run, those who wait for it, its restart timer.

import type { ShimConnection } from '../../runtime/link/index.ts';
import type { ContainerId, WaitResult } from './types.ts';

/** One run of a container: a shim and, once started, its process. */
export interface Run {
  /** The shim's run directory. */
  readonly dir: string;
  readonly connection: ShimConnection;
  /** Resolves when the shim is gone and its cleanup done. */
  readonly closed: Promise<void>;
  /** Waits for the shim's end; one that is still there after `graceMs` is stuck and killed. Never rejects. */
  readonly end: (graceMs: number) => Promise<void>;
}

/** A shim whose process has ended drains, serves its last readers and cleans up within this time. */
export const SHIM_END_MS = 60_000;

type Waiter = (result: WaitResult) => void;

/** An attacher that came before the container was started. */
export interface PendingAttach {
  readonly join: (run: Run) => Promise<void>;
  /** There will be no run: the attacher sees the end of its streams. */
  readonly end: () => void;
}

/** The live side of one container. */
export class Live {
  run: Run | undefined;
  /** The last run's shim may still clean up: a new run waits for it. */
  previousClosed: Promise<void> = Promise.resolve();
  /** Ends log followers; a new one for each run. */
  outputEnded: AbortController = aborted();
  readonly pendingAttaches = new Set<PendingAttach>();
  readonly exitWaiters = new Set<Waiter>();
  readonly removeWaiters = new Set<Waiter>();
  /** Ends the grace of a removal that is due. */
  hastenRemoval: () => void = () => undefined;
  restartTimer: NodeJS.Timeout | undefined;
  lastRestartDelayMs = 0;
  /** While set, the exit of the present run is not answered by a restart policy: somebody stops or restarts it. */
  stopping = 0;

  /** Resolves when the present run has been settled; at once when there is none. */
  exited(): Promise<void> {
    if (!this.run) return Promise.resolve();
    return new Promise((resolve) => this.exitWaiters.add(() => resolve()));
  }

  /** Those who wait for the next start are let go: it failed, or can never come. */
  endPendingAttaches(): void {
    const pending = [...this.pendingAttaches];
    this.pendingAttaches.clear();
    for (const { end } of pending) end();
  }

  announceExit(result: WaitResult): void {
    flush(this.exitWaiters, result);
  }

  announceRemoval(result: WaitResult): void {
    flush(this.removeWaiters, result);
  }

  cancelRestart(): void {
    clearTimeout(this.restartTimer);
    this.restartTimer = undefined;
  }
}

function flush(waiters: Set<Waiter>, result: WaitResult): void {
  const all = [...waiters];
  waiters.clear();
  for (const waiter of all) waiter(result);
}

function aborted(): AbortController {
  const controller = new AbortController();
  controller.abort();
  return controller;
}

/** The live sides of all containers, made on first use. */
export class LiveContainers {
  readonly #byId = new Map<ContainerId, Live>();

  of(id: ContainerId): Live {
    let live = this.#byId.get(id);
    if (!live) {
      live = new Live();
      this.#byId.set(id, live);
    }
    return live;
  }

  forget(id: ContainerId): void {
    this.#byId.get(id)?.cancelRestart();
    this.#byId.get(id)?.endPendingAttaches();
    this.#byId.delete(id);
  }

  all(): Iterable<Live> {
    return this.#byId.values();
  }
}
