// Owns the control connection to one shim: its events and commands. Decides nothing.

import { createCallStream } from './calls.ts';
import { failureOf, type ShimFailure, shimFailed, shimGone, shimSilent } from './errors.ts';
import { encodeFrame, type Field, fieldOf } from './frame.ts';
import { connectSocket } from './socket.ts';

/** What a shim tells. Times are Unix nanoseconds. */
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
  /** Of the protocol that the shim speaks; 1 for one from before versions. */
  readonly version: number;
  /** How often the kernel killed for memory in the process's cgroup, as far as the shim noticed. */
  readonly oomKills: number;
  /** Calls `listener` with the number of each further such kills. One listener. */
  onOom(listener: (more: number) => void): void;
  /**
   * Resolves to the event of this kind, seen already or yet to come. A short process may be gone before anybody asks.
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
  const socket = await connectSocket(dir, 'control');
  const waiters = new Set<Waiter>();
  const seen = new Map<ShimEventKind, ShimEvent>();
  let latest: ShimEvent | undefined;
  let disposed = false;
  let version = FIRST_VERSION;
  let oomKills = 0;
  let oomListener: (more: number) => void = () => {};
  const publish = (event: ShimEvent): void => {
    latest = event;
    seen.set(event.kind, event);
    for (const waiter of waiters) if (settle(waiter, event)) waiters.delete(waiter);
    onEvent(event);
  };
  const calls = createCallStream(
    socket,
    'stays',
    (fields) => {
      const kills = oomKillsIn(fields);
      const more = kills - oomKills;
      if (more > 0) {
        oomKills = kills;
        oomListener(more);
      }
      version = Number(fieldOf(fields, 'version') ?? version);
      const event = decodeEvent(fields);
      if (event) publish(event);
    },
    () => {
      if (!disposed) publish({ kind: 'closed' });
      for (const waiter of waiters) waiter.reject(shimGone(waiter.kind));
      waiters.clear();
    },
  );
  socket.write(encodeFrame([['op', 'control']]));
  const command = async (op: string, fields: readonly Field[] = [], limitMs?: number): Promise<void> => {
    await calls.call(op, [['op', op], ...fields], limitMs);
  };
  return {
    get latest() {
      return latest;
    },
    get version() {
      return version;
    },
    get oomKills() {
      return oomKills;
    },
    onOom(listener) {
      oomListener = listener;
    },
    until(kind, limitMs) {
      return new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const waiter: Waiter = {
          kind,
          resolve(event) {
            clearTimeout(timer);
            resolve(event as EventOf<typeof kind>);
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        };
        const known = seen.get(kind) ?? latest;
        if (known !== undefined && settle(waiter, known)) return;
        waiters.add(waiter);
        if (limitMs === undefined) return;
        timer = setTimeout(() => {
          waiters.delete(waiter);
          reject(shimSilent(`waiting for ${kind}`, limitMs));
        }, limitMs);
      });
    },
    start: () => command('start'),
    signal: (number, limitMs) => command('signal', [['sig', String(number)]], limitMs),
    resize: (rows, columns) =>
      command('resize', [
        ['rows', String(rows)],
        ['cols', String(columns)],
      ]),
    closeStdin: () => command('close-stdin'),
    abandon: () => command('abandon'),
    [Symbol.dispose]() {
      disposed = true;
      socket.destroy();
    },
  };
}

/** True when the event decides the waiter's fate. */
function settle(waiter: Waiter, event: ShimEvent): boolean {
  if (event.kind === waiter.kind) waiter.resolve(event);
  else if (event.kind === 'failed' && waiter.kind !== 'closed') waiter.reject(shimFailed('start', event));
  else if (ORDER[event.kind] >= ORDER[waiter.kind] && waiter.kind !== 'closed') waiter.reject(shimGone(waiter.kind));
  else return false;
  return true;
}

/** In news of its own, and in what a connection that comes late is told of a running process. */
function oomKillsIn(fields: readonly Field[]): number {
  const kind = fieldOf(fields, 'ev');
  return Number((kind === 'oom' ? fieldOf(fields, 'kills') : kind === 'started' ? fieldOf(fields, 'oom') : 0) ?? 0);
}

/** undefined for what is no state, and for what a newer shim says that this program does not know. */
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
