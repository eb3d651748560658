// Owns the throttle of password guessing. After failures, each further attempt at an account waits for its turn; other accounts from the
// same address do not wait. There is no lockout: the right password succeeds at its turn. Only different wrong passwords count: a client
// that repeats an old password does not guess.

import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { GantryError } from '../../lib/errors.ts';
import { plainAddress } from '../networks.ts';

/** Turns of one kind: after `free` failures one each `firstMs`, which doubles up to `longestMs`. */
interface Pace {
  readonly free: number;
  readonly firstMs: number;
  readonly longestMs: number;
}

/** One account as seen from one network. */
const ACCOUNT: Pace = { free: 5, firstMs: 1000, longestMs: 10_000 };
/** One network at all accounts: password spraying. */
const NETWORK: Pace = { free: 100, firstMs: 250, longestMs: 2000 };
/** The longest time that a request waits for its turn. Beyond it, the client receives a time to retry. */
const HELD_MAX_MS = 15_000;
const FORGOTTEN_MS = 15 * 60_000;
const KEYS_MAX = 20_000;
const ACCOUNT_MAX_CHARS = 255;

interface Failures {
  readonly count: number;
  /** When the next turn may be taken. */
  nextMs: number;
}

/** Failed logins, in bounded memory. */
export class LoginThrottle {
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;
  readonly #failures: LRUCache<string, Failures>;

  constructor(now: () => number, pause: (ms: number) => Promise<unknown> = (ms) => sleep(ms)) {
    this.#now = now;
    this.#pause = pause;
    this.#failures = new LRUCache({ max: KEYS_MAX, ttl: FORGOTTEN_MS, perf: { now } });
  }

  /**
   * Resolves when a password may be tried. `isKnown`: it was right recently; then failures of the network at other accounts do not count.
   * @throws TOOMANYREQUESTS (unavailable) when the turn is too far away
   */
  async turn(account: string, address: string, isKnown: boolean): Promise<void> {
    const network = networkOf(address);
    const keys = [[keyOf(account, network), ACCOUNT] as const, ...(isKnown ? [] : [[network, NETWORK] as const])];
    const nowMs = this.#now();
    const taken = keys.flatMap(([key, pace]) => {
      const failures = this.#failures.get(key);
      const everyMs = failures ? intervalOf(pace, failures.count) : 0;
      return failures && everyMs > 0 ? [{ failures, everyMs }] : [];
    });
    const atMs = Math.max(nowMs, ...taken.map(({ failures }) => failures.nextMs));
    if (atMs - nowMs > HELD_MAX_MS) {
      throw new GantryError(
        'unavailable',
        'TOOMANYREQUESTS',
        'too many failed logins of this account from this address',
        {
          params: { retryAfterSeconds: Math.ceil((atMs - nowMs) / 1000) },
        },
      );
    }
    for (const { failures, everyMs } of taken) failures.nextMs = atMs + everyMs;
    if (atMs > nowMs) await this.#pause(atMs - nowMs);
  }

  failed(account: string, address: string): void {
    const network = networkOf(address);
    for (const [key, pace] of [[keyOf(account, network), ACCOUNT] as const, [network, NETWORK] as const]) {
      const before = this.#failures.get(key);
      const count = (before?.count ?? 0) + 1;
      const nextMs = Math.max(before?.nextMs ?? 0, this.#now() + intervalOf(pace, count));
      this.#failures.set(key, { count, nextMs });
    }
  }

  succeeded(account: string, address: string): void {
    this.#failures.delete(keyOf(account, networkOf(address)));
  }
}

function intervalOf({ free, firstMs, longestMs }: Pace, count: number): number {
  return count <= free ? 0 : Math.min(firstMs * 2 ** Math.min(count - free - 1, 20), longestMs);
}

/** A separator: names of accounts have no line break. */
function keyOf(account: string, network: string): string {
  return `${account.slice(0, ACCOUNT_MAX_CHARS)}\n${network}`;
}

/** One household has one IPv4 address, but a whole /64 of IPv6. */
function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array.from({ length: missing }, () => '0')].slice(0, 4).join(':');
}
