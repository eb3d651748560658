// Owns the removal of containers' links off everybody's path. A link dies with its namespace; only survivors are removed.

import type { Links } from '../../host/netlink/links.ts';
import { messageOf } from '../../lib/errors.ts';

/** Long enough for a stopped container's namespace to be taken down by the kernel, together with its link. */
const GRACE_MS = 300;

/** Collects links and removes, after a grace, those that are still there. */
export class LinkReaper {
  readonly #links: Links;
  readonly #log: (message: string) => void;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(links: Links, log: (message: string) => void) {
    this.#links = links;
    this.#log = log;
  }

  /** Takes over a link that passes no frames any more. */
  add(linkName: string): void {
    this.#waiting.push(linkName);
    this.#timer ??= setTimeout(() => void this.flush(), GRACE_MS).unref();
  }

  /** Removes all that waits, now. Failures are logged. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = new Set(this.#waiting.splice(0));
    this.#running = this.#running.then(async () => {
      try {
        const survivors = names.size === 0 ? [] : this.#links.list().filter(({ name }) => names.has(name));
        await this.#links.remove(survivors.map(({ name }) => name));
      } catch (error) {
        this.#log(`links ${[...names].join(', ')} could not be removed: ${messageOf(error)}`);
      }
    });
    return this.#running;
  }
}
