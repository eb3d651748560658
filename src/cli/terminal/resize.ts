// Owns telling the daemon the terminal's size: once at the start, with retries, and at every change.
import { setTimeout as sleep } from 'node:timers/promises';
import type { TerminalSize } from '../../client/index.ts';
import type { OutputStream } from '../session.ts';

const ATTEMPTS = 10;
const RETRY_STEP_MS = 10;

/** The terminal's size, or nothing when `stream` is none. */
export function terminalSize(stream: OutputStream): TerminalSize | undefined {
  if (stream.isTTY !== true || !stream.rows || !stream.columns) return undefined;
  return { rows: stream.rows, columns: stream.columns };
}

/**
 * Sends the size now and at every change until the returned disposable ends it. The process may not have its terminal
 * yet, so the first send is tried again.
 * @source docker 28.2.2 (ten tries)
 */
export function followTerminalSize(stream: OutputStream, send: (size: TerminalSize) => Promise<void>): Disposable {
  let active = true;
  const sendNow = async (attempts: number): Promise<void> => {
    for (let attempt = 1; active && attempt <= attempts; attempt++) {
      const size = terminalSize(stream);
      if (size === undefined) return;
      try {
        await send(size);
        return;
      } catch {
        await sleep(attempt * RETRY_STEP_MS, undefined, { ref: false });
      }
    }
  };
  const onResize = (): void => {
    void sendNow(1);
  };
  void sendNow(ATTEMPTS);
  stream.on('resize', onResize);
  return {
    [Symbol.dispose]: () => {
      active = false;
      stream.off('resize', onResize);
    },
  };
}
