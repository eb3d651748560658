// Owns the engine's event stream: a ring of past events and the live subscribers. Knows nothing of HTTP.

import { nowNano } from '../../lib/clock.ts';
import { eventMatches } from './filter.ts';
import type { EngineEvent, EventQuery, Events } from './types.ts';

export type { Events } from './types.ts';

/** As many as Docker keeps. @source behaviours seen on dockerd 28.5 */
const RING_SIZE = 256;
/** A subscriber that does not read is cut off after this many events, so that it cannot hold memory. */
const SUBSCRIBER_BACKLOG = 8192;

interface Subscriber {
  readonly pending: EngineEvent[];
  wake: () => void;
  overrun: boolean;
}

/** Makes the event capability. `now` is for tests. */
export function createEvents(now: () => bigint = nowNano): Events {
  const ring: EngineEvent[] = [];
  const subscribers = new Set<Subscriber>();

  const publish: Events['publish'] = (facts) => {
    const event: EngineEvent = { ...facts, timeNano: now() };
    ring.push(event);
    if (ring.length > RING_SIZE) ring.shift();
    for (const subscriber of subscribers) {
      if (subscriber.pending.length >= SUBSCRIBER_BACKLOG) subscriber.overrun = true;
      else subscriber.pending.push(event);
      subscriber.wake();
    }
  };

  const past = (query: EventQuery): EngineEvent[] => {
    const { since, until } = query;
    // Docker replays the past only when it was asked for a start or an end.
    if (since === undefined && until === undefined) return [];
    return ring.filter((event) => event.timeNano >= (since ?? 0n) && (until === undefined || event.timeNano <= until));
  };

  return {
    publish,
    subscribe(query, signal) {
      const subscriber: Subscriber = { pending: past(query), wake: () => {}, overrun: false };
      // Joined before the caller's first read: nothing published in between is lost.
      const ended = query.until !== undefined && query.until <= now();
      const leave = (): void => void subscribers.delete(subscriber);
      if (!ended && !signal.aborted) subscribers.add(subscriber);
      // Also when it is never read.
      signal.addEventListener('abort', leave, { once: true });
      return live(subscriber, query, signal, ended, leave, now);
    },
  };
}

async function* live(
  subscriber: Subscriber,
  query: EventQuery,
  signal: AbortSignal,
  ended: boolean,
  leave: () => void,
  now: () => bigint,
): AsyncGenerator<EngineEvent> {
  const timers: NodeJS.Timeout[] = [];
  let over = ended;
  const finish = (): void => {
    over = true;
    subscriber.wake();
  };
  if (!ended && query.until !== undefined) {
    timers.push(setTimeout(finish, Math.min(Number((query.until - now()) / 1_000_000n), 2 ** 31 - 1)));
  }
  signal.addEventListener('abort', finish, { once: true });
  try {
    for (;;) {
      for (let event = subscriber.pending.shift(); event; event = subscriber.pending.shift()) {
        if (eventMatches(event, query.filters)) yield event;
      }
      if (over || signal.aborted || subscriber.overrun) return;
      await new Promise<void>((resolve) => {
        subscriber.wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', finish);
    for (const timer of timers) clearTimeout(timer);
    leave();
  }
}
