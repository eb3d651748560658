// Owns what is left of a container after it left its network: its link and the kernel's memory of its connections.
// Both go off everybody's path; then the address is free for others.

import type { Flow } from '../../host/firewall/conntrack.ts';
import type { Links } from '../../host/netlink/links.ts';
import { messageOf } from '../../lib/errors.ts';

/** Long enough for a stopped container's namespace to be taken down by the kernel, together with its link. */
const GRACE_MS = 300;
/** Forgetting reads all connections of the host: on a busy one, at most this part of the time goes into it. */
const SHARE = 0.1;

/** What a container left behind. */
export interface Remains {
  readonly linkName: string;
  readonly address: string;
}

export interface ReaperDoors {
  readonly links: Pick<Links, 'list' | 'remove'>;
  readonly forgetFlows: (match: (flow: Flow) => boolean) => Promise<number>;
}

/** Collects remains; after a grace removes links that outlived their namespace, forgets connections, and tells. */
export class Reaper {
  readonly #doors: ReaperDoors;
  readonly #isResting: (address: string) => boolean;
  readonly #freed: (address: string) => void;
  readonly #log: (message: string) => void;
  #waiting: Remains[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #pauseMs = GRACE_MS;

  /** `freed` is called with each address when nothing is left of it; one that stopped resting keeps its connections. */
  constructor(
    doors: ReaperDoors,
    isResting: (address: string) => boolean,
    freed: (address: string) => void,
    log: (message: string) => void,
  ) {
    this.#doors = doors;
    this.#isResting = isResting;
    this.#freed = freed;
    this.#log = log;
  }

  add(remains: Remains): void {
    this.#waiting.push(remains);
    this.#timer ??= setTimeout(() => void this.flush(), this.#pauseMs).unref();
  }

  /** Deals with all that waits, now. Failures are logged. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const remains = this.#waiting.splice(0);
    this.#running = this.#running.then(() => (remains.length === 0 ? undefined : this.#reap(remains)));
    return this.#running;
  }

  async #reap(remains: readonly Remains[]): Promise<void> {
    const names = new Set(remains.map(({ linkName }) => linkName));
    const addresses = new Set(remains.map(({ address }) => address));
    const gone = (address: string): boolean => addresses.has(address) && this.#isResting(address);
    const startMs = performance.now();
    try {
      const survivors = (await this.#doors.links.list()).filter(({ name }) => names.has(name));
      await this.#doors.links.remove(survivors.map(({ name }) => name));
      await this.#doors.forgetFlows(({ source, answerer }) => gone(source) || gone(answerer));
    } catch (error) {
      this.#log(`clearing up after ${[...addresses].join(', ')}: ${messageOf(error)}`);
    }
    this.#pauseMs = Math.max(GRACE_MS, (performance.now() - startMs) / SHARE);
    for (const address of addresses) this.#freed(address);
  }
}
