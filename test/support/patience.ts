// Owns waiting for what will soon be true. Measures nothing.

import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the answer is neither undefined nor false; that answer. @throws Error naming `what` after `timeoutMs` */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > until) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(25);
  }
}
