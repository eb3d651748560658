// Owns the trace of one request: its id, and how long its parts took. Costs next to nothing where nobody asked for the times.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** A part of a request. Times are milliseconds since the request began; `parent` is an index in the list, -1 for none. */
export interface Span {
  readonly name: string;
  readonly parent: number;
  readonly startMs: number;
  readonly durationMs: number;
}

/** A request whose parts are many repeats itself: the first ones tell enough. */
const MOST_SPANS = 100;

interface Frame {
  readonly trace: Trace;
  readonly span: number;
}

const frames = new AsyncLocalStorage<Frame>();

/** One request. `timed`: whether its parts are timed. */
export class Trace {
  readonly #startedMs = performance.now();
  readonly #spans: Span[] = [];
  readonly #timed: boolean;
  #id: string | undefined;

  constructor(id: string | undefined, timed: boolean) {
    this.#id = id;
    this.#timed = timed;
  }

  /** 32 hexadecimal digits, as in W3C's trace context. Made when it is first asked for. */
  get id(): string {
    this.#id ??= randomBytes(16).toString('hex');
    return this.#id;
  }

  /** The parts so far, in the order of their beginnings; one that is under way has the time until now. */
  get spans(): readonly Span[] {
    const now = this.#elapsed();
    return this.#spans.map((one) => (one.durationMs < 0 ? { ...one, durationMs: now - one.startMs } : one));
  }

  /** Runs `work` as a part of this request, with all that it calls. */
  run<T>(work: () => T): T {
    return frames.run({ trace: this, span: -1 }, work);
  }

  /** For `span`. */
  async time<T>(name: string, parent: number, work: () => Promise<T> | T): Promise<T> {
    if (!this.#timed || this.#spans.length >= MOST_SPANS) return work();
    const startMs = this.#elapsed();
    const index = this.#spans.push({ name, parent, startMs, durationMs: -1 }) - 1;
    try {
      return await frames.run({ trace: this, span: index }, work);
    } finally {
      this.#spans[index] = { name, parent, startMs, durationMs: this.#elapsed() - startMs };
    }
  }

  #elapsed(): number {
    return performance.now() - this.#startedMs;
  }
}

/** The request that this code runs for; undefined in the background. */
export function currentTrace(): Trace | undefined {
  return frames.getStore()?.trace;
}

/** Times `work` as the part `name` of the request that it runs for. `name` is lower-case words joined by `-`. */
export function span<T>(name: string, work: () => Promise<T> | T): Promise<T> | T {
  const frame = frames.getStore();
  return frame === undefined ? work() : frame.trace.time(name, frame.span, work);
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})/;

/** The trace that a request's `traceparent` header names, or a new one. @source W3C Trace Context, level 1 */
export function traceOf(traceparent: string | undefined): Trace {
  const [, id, flags = '0'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const isValid = id !== undefined && /[^0]/.test(id);
  return new Trace(isValid ? id : undefined, isValid && (Number.parseInt(flags, 16) & 1) === 1);
}

/** The header that names a trace to a daemon, and asks it for the times of its parts. */
export function traceparentOf(trace: Trace): string {
  return `00-${trace.id}-${randomBytes(8).toString('hex')}-01`;
}

/**
 * The parts in a `Server-Timing` header: `name;dur=1.2;desc="<parent> <start>"`, in milliseconds. Undefined for none.
 * @source W3C Server Timing
 */
export function serverTiming(trace: Trace): string | undefined {
  const { spans } = trace;
  if (spans.length === 0) return undefined;
  return spans
    .map(({ name, parent, startMs, durationMs }) => {
      return `${name};dur=${durationMs.toFixed(3)};desc="${parent} ${startMs.toFixed(3)}"`;
    })
    .join(', ');
}

const ENTRY = /([a-z][a-z0-9-]*);dur=(\d+(?:\.\d+)?);desc="(-1|\d{1,4}) (\d+(?:\.\d+)?)"/g;

/** The parts that such a header names; what is not ours in it is passed over. */
export function spansOf(header: string | undefined): readonly Span[] {
  const spans: Span[] = [];
  for (const [, name = '', durationMs, parent, startMs] of (header ?? '').matchAll(ENTRY)) {
    // A parent that comes later would make a ring.
    const above = Number(parent) < spans.length ? Number(parent) : -1;
    spans.push({ name, parent: above, startMs: Number(startMs), durationMs: Number(durationMs) });
  }
  return spans;
}
