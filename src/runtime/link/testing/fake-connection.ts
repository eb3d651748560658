// A fake of the port ShimConnection, for tests of what works through a shim: tells what the test makes it tell, and records its orders.

import type { ShimConnection, ShimEvent } from '../connection.ts';
import { shimFailed, shimGone, shimSilent } from '../errors.ts';

type Kind = ShimEvent['kind'];
type EventOf<K extends Kind> = Extract<ShimEvent, { readonly kind: K }>;

interface Waiter {
  readonly kind: Kind;
  readonly resolve: (event: ShimEvent) => void;
  readonly reject: (error: Error) => void;
}

const ORDER: readonly Kind[] = ['ready', 'started', 'exited', 'closed'];
const ESRCH = 3;

/** A shim as its daemon sees it. Beside the port: what a test makes of it. */
export class FakeConnection implements ShimConnection {
  readonly version = 2;
  latest: ShimEvent | undefined;
  oomKills = 0;
  disposed = false;
  /** Orders in their order, e.g. `start`, `signal 15`, `resize 24 80`. */
  readonly calls: string[] = [];
  /** Set: no order is answered, each fails as one to a stopped shim. */
  silent = false;
  /** Told of each signal that is passed on; a test ends the process here. */
  onSignal: (signal: number) => void = () => undefined;
  /** Told of `start`; by default the process runs at once. */
  onStart: () => void = () => this.tell({ kind: 'started', pid: 4242, atUnixNs: 1_700_000_000_000_000_000n });
  readonly #seen = new Map<Kind, ShimEvent>();
  readonly #waiters = new Set<Waiter>();
  #oom: (more: number) => void = () => undefined;

  /** The shim says `event`. */
  tell(event: ShimEvent): void {
    this.latest = event;
    this.#seen.set(event.kind, event);
    for (const waiter of [...this.#waiters]) this.#offer(waiter, event);
    if (event.kind !== 'closed') return;
    for (const { kind, reject } of this.#waiters) reject(shimGone(kind));
    this.#waiters.clear();
  }

  /** The kernel has killed `more` processes for memory. */
  tellOom(more: number): void {
    this.oomKills += more;
    this.#oom(more);
  }

  onOom(listener: (more: number) => void): void {
    this.#oom = listener;
  }

  until<K extends Kind>(kind: K, limitMs?: number): Promise<EventOf<K>> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { kind, resolve: (event) => resolve(event as EventOf<K>), reject };
      const known = this.#seen.get(kind) ?? this.latest;
      if (known && this.#offer(waiter, known)) return;
      this.#waiters.add(waiter);
      if (limitMs === undefined) return;
      setTimeout(() => {
        if (this.#waiters.delete(waiter)) reject(shimSilent(`waiting for ${kind}`, limitMs));
      }, limitMs).unref();
    });
  }

  start(): Promise<void> {
    return this.#order('start', () => this.onStart());
  }

  signal(number: number, limitMs = 10_000): Promise<void> {
    if (!this.silent && this.#seen.has('exited')) {
      this.calls.push(`signal ${number}`);
      return Promise.reject(shimFailed('signal', { stage: 'signal', errno: ESRCH, text: 'No such process' }));
    }
    return this.#order(`signal ${number}`, () => this.onSignal(number), limitMs);
  }

  resize(rows: number, columns: number): Promise<void> {
    return this.#order(`resize ${rows} ${columns}`);
  }

  closeStdin(): Promise<void> {
    return this.#order('close-stdin');
  }

  abandon(): Promise<void> {
    return this.#order('abandon', () => this.tell({ kind: 'closed' }));
  }

  [Symbol.dispose](): void {
    this.disposed = true;
    for (const { kind, reject } of this.#waiters) reject(shimGone(kind));
    this.#waiters.clear();
  }

  #order(call: string, effect: () => void = () => undefined, limitMs = 10_000): Promise<void> {
    this.calls.push(call);
    if (this.latest?.kind === 'closed') return Promise.reject(shimGone(call));
    if (this.silent) return Promise.reject(shimSilent(call, limitMs));
    effect();
    return Promise.resolve();
  }

  #offer(waiter: Waiter, event: ShimEvent): boolean {
    const passed = ORDER.indexOf(event.kind) > ORDER.indexOf(waiter.kind);
    if (event.kind === waiter.kind) waiter.resolve(event);
    else if (waiter.kind === 'closed') return false;
    else if (event.kind === 'failed') waiter.reject(shimFailed('start', event));
    else if (passed) waiter.reject(shimGone(waiter.kind));
    else return false;
    this.#waiters.delete(waiter);
    return true;
  }
}

/** One run on a fake shim, of the shape that the engine's runs have. */
export interface FakeRun {
  readonly dir: string;
  readonly connection: FakeConnection;
  readonly closed: Promise<void>;
  readonly end: (graceMs: number) => Promise<void>;
  /** The graces that `end` was called with. */
  readonly ends: readonly number[];
}

/**
 * A run whose shim said `first`, or nothing. Its shim closes when its process has exited and it was waited for, or when it is killed (`end(0)`),
 * which is an end without an exit.
 */
export function fakeRun(dir: string, first: ShimEvent | 'silent' = { kind: 'ready', shimPid: 4141 }): FakeRun {
  const connection = new FakeConnection();
  if (first !== 'silent') connection.tell(first);
  const ends: number[] = [];
  const closed = connection.until('closed').then(
    () => undefined,
    () => undefined,
  );
  const end = (graceMs: number): Promise<void> => {
    ends.push(graceMs);
    const isOver = connection.latest?.kind === 'exited' || connection.latest?.kind === 'failed';
    if (isOver || graceMs === 0) connection.tell({ kind: 'closed' });
    return Promise.resolve();
  };
  return { dir, connection, closed, end, ends };
}
