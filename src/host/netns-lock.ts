// Owns a lock among the processes of one network namespace. It dies with its holder, and leaves no file.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 5;
/** Anybody may take an abstract name, so the wait has an end: the lock helps those who keep to it, and stops nobody. */
const LONGEST_MS = 3000;

/** Resolves when no other process holds `name`, or after 3 s. Disposing releases. @source unix(7), abstract sockets */
export async function lockInNetworkNamespace(name: string): Promise<Disposable> {
  const end = performance.now() + LONGEST_MS;
  for (;;) {
    const server = createServer().listen(`\0${name}`).unref();
    try {
      await once(server, 'listening');
      return { [Symbol.dispose]: () => void server.close() };
    } catch {
      if (performance.now() > end) return { [Symbol.dispose]: () => {} };
      await sleep(RETRY_MS);
    }
  }
}
