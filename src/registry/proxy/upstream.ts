// Owns asking one origin: at most one question of a kind at a time, a failure remembered, and a copy that is here served instead of
// waiting. Knows what a question is about only by its key.

import type { ProxyConfig } from '../config/types.ts';
import { Breaker } from './breaker.ts';
import { askedMs, inWords, type Missing, type Verdict, verdictOf } from './failures.ts';

/** Where there is a copy, an origin that answered last time is waited for so long; its answer then counts for the next who asks. */
const PATIENCE_MS = 1500;

/** Kinds of requests that an origin may refuse or limit by themselves. */
export type Kind = 'manifests' | 'blobs';

export interface Question {
  readonly kind: Kind;
  /** What is asked for, for others who ask for the same. */
  readonly key: string;
  /** Asks the origin and keeps the answer. */
  readonly ask: () => Promise<void>;
  /** There is something to serve without asking. */
  readonly hasCopy: boolean;
  readonly missing: Missing;
  /** Takes the copy away, which the origin does not have any more. */
  readonly drop: () => Promise<void>;
}

interface Running {
  readonly promise: Promise<void>;
  readonly sinceMs: number;
}

/** One proxy of the configuration. */
export class Upstream {
  readonly proxy: ProxyConfig;
  readonly #now: () => number;
  readonly #breakers: Readonly<Record<Kind, Breaker>>;
  readonly #running = new Map<string, Running>();
  readonly #complain: (message: string) => void;

  constructor(proxy: ProxyConfig, now: () => number, complain: (message: string) => void) {
    this.proxy = proxy;
    this.#now = now;
    this.#complain = complain;
    this.#breakers = { manifests: new Breaker(now), blobs: new Breaker(now) };
  }

  /** Resolves when there is something to serve: asked for just now, or a copy that may stand for it. @throws the error that clients get */
  async settle(question: Question): Promise<void> {
    const { kind, hasCopy, missing } = question;
    const mayBeOld = hasCopy && this.proxy.stale !== 'never';
    const { pause, hasFailed } = this.#breakers[kind];
    if (pause) {
      if (mayBeOld) return;
      throw inWords(pause.error, missing, pause.leftMs);
    }
    const running = this.#start(question);
    if (!mayBeOld) return running.promise;
    const waitMs = hasFailed ? 0 : running.sinceMs + PATIENCE_MS - this.#now();
    await Promise.race([running.promise, sleep(waitMs)]);
  }

  /** Asks outside of `settle`, with nothing to fall back to; the breaker learns of it. @throws the error that clients get */
  async attempt<T>(kind: Kind, missing: Missing, ask: () => Promise<T>): Promise<T> {
    const { pause } = this.#breakers[kind];
    if (pause) throw inWords(pause.error, missing, pause.leftMs);
    try {
      const result = await ask();
      this.#breakers[kind].succeeded();
      return result;
    } catch (error) {
      this.#note(kind, error);
      throw inWords(error, missing);
    }
  }

  /** Everything that is under way has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ promise }) => promise));
  }

  #start(question: Question): Running {
    const known = this.#running.get(question.key);
    if (known) return known;
    const promise = this.#ask(question).finally(() => this.#running.delete(question.key));
    // Who does not wait for it does not hear of it either.
    promise.catch(() => undefined);
    const running = { promise, sinceMs: this.#now() };
    this.#running.set(question.key, running);
    return running;
  }

  async #ask({ kind, ask, hasCopy, missing, drop }: Question): Promise<void> {
    try {
      await ask();
      this.#breakers[kind].succeeded();
    } catch (error) {
      const verdict = this.#note(kind, error);
      const isKept = hasCopy && (this.proxy.stale === 'always' || (verdict === 'down' && this.proxy.stale === 'down'));
      if (isKept) {
        this.#complain(
          `the origin ${this.proxy.url} failed, an older copy is served: ${inWords(error, missing).message}`,
        );
        return;
      }
      if (verdict === 'gone' && hasCopy) await drop();
      throw inWords(error, missing);
    }
  }

  #note(kind: Kind, error: unknown): Verdict {
    const verdict = verdictOf(error);
    if (verdict === 'down') this.#breakers[kind].failed(error, askedMs(error));
    else this.#breakers[kind].succeeded();
    return verdict;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms)).unref();
  });
}
