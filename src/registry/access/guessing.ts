// Owns slowing down those who guess passwords: failures per sender are counted in bounded memory, and forgotten with time.
// A stranger's failures never lock a user out elsewhere: only the address that failed waits.

import { LRUCache } from 'lru-cache';
import { GantryError } from '../../lib/errors.ts';

/** Failures that cost nothing: mistyped, or a stale credential helper. */
const FREE = 5;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
const FORGOTTEN_MS = 15 * 60_000;
const SENDERS_MAX = 20_000;

interface Failures {
  readonly count: number;
  readonly untilMs: number;
}

/** Counts failures by remote address. */
export class Guessing {
  readonly #now: () => number;
  readonly #failures: LRUCache<string, Failures>;

  constructor(now: () => number) {
    this.#now = now;
    this.#failures = new LRUCache({ max: SENDERS_MAX, ttl: FORGOTTEN_MS, perf: { now } });
  }

  /** @throws TOOMANYREQUESTS (unavailable) while the address has to wait */
  check(address: string): void {
    const leftMs = (this.#failures.get(networkOf(address))?.untilMs ?? 0) - this.#now();
    if (leftMs <= 0) return;
    throw new GantryError('unavailable', 'TOOMANYREQUESTS', 'too many failed logins from this address', {
      params: { retryAfterSeconds: Math.ceil(leftMs / 1000) },
    });
  }

  failed(address: string): void {
    const network = networkOf(address);
    const count = (this.#failures.get(network)?.count ?? 0) + 1;
    const waitMs = count <= FREE ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (count - FREE - 1), LONGEST_WAIT_MS);
    this.#failures.set(network, { count, untilMs: this.#now() + waitMs });
  }

  succeeded(address: string): void {
    this.#failures.delete(networkOf(address));
  }
}

/** One household has one IPv4 address, but a whole /64 of IPv6. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array.from({ length: missing }, () => '0')].slice(0, 4).join(':');
}
