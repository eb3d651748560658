// Owns the control connection to one shim: its events and commands. Decides nothing.

import type { Socket } from 'node:net';
import { CallStream } from './calls.ts';
import { failureOf, type ShimFailure, shimFailed, shimGone, shimSilent } from './errors.ts';
import { encodeFrame, type Field, fieldOf } from './frame.ts';
import { connectSocket } from './socket.ts';

/** What a shim reports. Times are Unix nanoseconds. */
export type ShimEvent =
  /** Steps are done; waits for start. `shimPid` is also the holder of the new namespaces. */
  | { readonly kind: 'ready'; readonly shimPid: number }
  | { readonly kind: 'started'; readonly pid: number; readonly atUnixNs: bigint }
  /** The start failed; the shim cleans up and ends. */
  | ({ readonly kind: 'failed' } & ShimFailure)
  /** Output is drained and logged, the exit record is on disk. */
  | { readonly kind: 'exited'; readonly code: number; readonly atUnixNs: bigint; readonly oomKilled: boolean }
  /** The shim is gone, cleanup done. */
  | { readonly kind: 'closed' };

type ShimEventKind = ShimEvent['kind'];
type EventOf<K extends ShimEventKind> = Extract<ShimEvent, { readonly kind: K }>;

/** A live control connection. Disposing leaves the shim alone. */
export interface ShimConnection extends Disposable {
  /** The newest event, undefined before the first. */
  readonly latest: ShimEvent | undefined;
  /** Of the protocol that the shim speaks; 1 for a shim that sends no version. */
  readonly version: number;
  /** How often the kernel killed for memory in the process's cgroup, as far as the shim noticed. */
  readonly oomKills: number;
  /** Calls `listener` with the number of each further such kills. One listener. */
  onOom(listener: (more: number) => void): void;
  /**
   * Resolves to the event of this kind, also to one that has already come: a short process may end before the call.
   * @throws SHIM_FAILED when the start failed; SHIM_GONE when the shim ended without it; SHIM_SILENT after `limitMs`, if given
   */
  until<K extends ShimEventKind>(kind: K, limitMs?: number): Promise<EventOf<K>>;
  /** Lets a ready shim run its runtime; `started` or `failed` follows. */
  start(): Promise<void>;
  /** To the process. @throws SHIM_FAILED with errno 3 (ESRCH) after its exit; SHIM_SILENT after `limitMs` */
  signal(number: number, limitMs?: number): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  closeStdin(): Promise<void>;
  /** Before start: undo and end. */
  abandon(): Promise<void>;
}

interface Waiter {
  readonly kind: ShimEventKind;
  readonly resolve: (event: ShimEvent) => void;
  readonly reject: (error: Error) => void;
}

const FIRST_VERSION = 1;

const ORDER: Readonly<Record<ShimEventKind, number>> = { ready: 0, started: 1, failed: 2, exited: 2, closed: 3 };

/**
 * Connects to the shim of a run directory; `onEvent` sees every event in order, the shim's present state first.
 * @throws SHIM_GONE when no shim listens
 */
export async function connectShim(
  dir: string,
  onEvent: (event: ShimEvent) => void = () => {},
): Promise<ShimConnection> {
  return new SocketConnection(await connectSocket(dir, 'control'), onEvent);
}

class SocketConnection implements ShimConnection {
  readonly #socket: Socket;
  readonly #calls: CallStream;
  readonly #onEvent: (event: ShimEvent) => void;
  readonly #waiters = new Set<Waiter>();
  readonly #seen = new Map<ShimEventKind, ShimEvent>();
  #latest: ShimEvent | undefined;
  #disposed = false;
  #version = FIRST_VERSION;
  #oomKills = 0;
  #oomListener: (more: number) => void = () => {};

  /** Takes `socket` over and asks the shim for its state. */
  constructor(socket: Socket, onEvent: (event: ShimEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    this.#calls = new CallStream(socket, {
      idle: 'stays',
      onEvent: (fields) => this.#take(fields),
      onEnd: () => this.#end(),
    });
    socket.write(encodeFrame([['op', 'control']]));
  }

  get latest(): ShimEvent | undefined {
    return this.#latest;
  }

  get version(): number {
    return this.#version;
  }

  get oomKills(): number {
    return this.#oomKills;
  }

  onOom(listener: (more: number) => void): void {
    this.#oomListener = listener;
  }

  until<K extends ShimEventKind>(kind: K, limitMs?: number): Promise<EventOf<K>> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const waiter: Waiter = {
        kind,
        resolve(event) {
          clearTimeout(timer);
          resolve(event as EventOf<K>);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      const known = this.#seen.get(kind) ?? this.#latest;
      if (known !== undefined && settle(waiter, known)) return;
      this.#waiters.add(waiter);
      if (limitMs === undefined) return;
      timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(shimSilent(`waiting for ${kind}`, limitMs));
      }, limitMs);
    });
  }

  start(): Promise<void> {
    return this.#command('start');
  }

  signal(number: number, limitMs?: number): Promise<void> {
    return this.#command('signal', [['sig', String(number)]], limitMs);
  }

  resize(rows: number, columns: number): Promise<void> {
    const size: readonly Field[] = [
      ['rows', String(rows)],
      ['cols', String(columns)],
    ];
    return this.#command('resize', size);
  }

  closeStdin(): Promise<void> {
    return this.#command('close-stdin');
  }

  abandon(): Promise<void> {
    return this.#command('abandon');
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#socket.destroy();
  }

  async #command(op: string, fields: readonly Field[] = [], limitMs?: number): Promise<void> {
    await this.#calls.call(op, [['op', op], ...fields], limitMs);
  }

  #take(fields: readonly Field[]): void {
    const kills = oomKillsIn(fields);
    const more = kills - this.#oomKills;
    if (more > 0) {
      this.#oomKills = kills;
      this.#oomListener(more);
    }
    this.#version = Number(fieldOf(fields, 'version') ?? this.#version);
    const event = decodeEvent(fields);
    if (event) this.#publish(event);
  }

  #publish(event: ShimEvent): void {
    this.#latest = event;
    this.#seen.set(event.kind, event);
    for (const waiter of this.#waiters) if (settle(waiter, event)) this.#waiters.delete(waiter);
    this.#onEvent(event);
  }

  #end(): void {
    if (!this.#disposed) this.#publish({ kind: 'closed' });
    for (const waiter of this.#waiters) waiter.reject(shimGone(waiter.kind));
    this.#waiters.clear();
  }
}

/** True when the event settles the waiter. */
function settle(waiter: Waiter, event: ShimEvent): boolean {
  if (event.kind === waiter.kind) waiter.resolve(event);
  else if (event.kind === 'failed' && waiter.kind !== 'closed') waiter.reject(shimFailed('start', event));
  else if (ORDER[event.kind] >= ORDER[waiter.kind] && waiter.kind !== 'closed') waiter.reject(shimGone(waiter.kind));
  else return false;
  return true;
}

/** From an event of their own, and from the state that a later connection gets of a running process. */
function oomKillsIn(fields: readonly Field[]): number {
  const kind = fieldOf(fields, 'ev');
  return Number((kind === 'oom' ? fieldOf(fields, 'kills') : kind === 'started' ? fieldOf(fields, 'oom') : 0) ?? 0);
}

/** undefined for a frame that is no state, and for an event of a newer shim that this program does not know. */
function decodeEvent(fields: readonly Field[]): ShimEvent | undefined {
  const number = (key: string): number => Number(fieldOf(fields, key) ?? 0);
  const at = (): bigint => BigInt(fieldOf(fields, 'at') ?? 0);
  const kind = fieldOf(fields, 'ev');
  switch (kind) {
    case 'ready':
      return { kind, shimPid: number('pid') };
    case 'started':
      return { kind, pid: number('pid'), atUnixNs: at() };
    case 'failed':
      return { kind, ...(failureOf(fields) ?? { stage: '', errno: 0, text: '' }) };
    case 'exited':
      return { kind, code: number('code'), atUnixNs: at(), oomKilled: number('oom') === 1 };
    default:
      return undefined;
  }
}
