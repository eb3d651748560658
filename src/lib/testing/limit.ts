// Owns ending a test that hangs: it fails by its own name, not with its whole file minutes later.

import type { TestContext } from 'node:test';

/** As they are before a test mocks the clock. */
const { setTimeout: begin, clearTimeout: end } = globalThis;

const LIMIT_MS = 30_000;

/** Fails the test when it is not over by then. */
export function limitTest(t: TestContext): void {
  const timer = begin(() => {
    throw new Error(`still waiting after ${LIMIT_MS / 1000} s`);
  }, LIMIT_MS);
  t.after(() => end(timer));
}
