// Owns matching answers to requests by sequence number on one stream. Knows no operation.

import type { Socket } from 'node:net';
import { failureOf, shimFailed, shimGone, shimSilent } from './errors.ts';
import { createFrameDecoder, encodeFrame, type Field, fieldOf } from './frame.ts';

interface Waiting {
  readonly doing: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (fields: readonly Field[]) => void;
  readonly reject: (error: Error) => void;
}

/** Requests with answers over a stream, and frames that answer nothing. */
export interface CallStream {
  /**
   * Sends `fields` with a fresh `seq`, resolves to the answer. `doing` names the act in errors.
   * @throws SHIM_FAILED when the peer answers a failure; SHIM_GONE when the stream ends first; SHIM_SILENT after `limitMs`
   */
  call(doing: string, fields: readonly Field[], limitMs?: number): Promise<readonly Field[]>;
}

/** A peer that answers at all does so within milliseconds; a stopped or starved one is given up on after this. */
export const ANSWER_LIMIT_MS = 10_000;

/**
 * Takes the stream over. `onEvent` gets frames without `seq`; `onEnd` runs once, with the reason when it was an error.
 * With `idle: 'may-exit'` only an outstanding call keeps this process alive.
 */
export function createCallStream(
  stream: Socket,
  idle: 'stays' | 'may-exit',
  onEvent: (fields: readonly Field[]) => void,
  onEnd: (cause: Error | undefined) => void,
): CallStream {
  const decoder = createFrameDecoder();
  const waiting = new Map<string, Waiting>();
  let sequence = 0;
  let ended = false;
  const settleRef = (): void => {
    if (idle === 'stays') return;
    if (waiting.size === 0) stream.unref();
    else stream.ref();
  };
  settleRef();
  const end = (cause: Error | undefined): void => {
    if (ended) return;
    ended = true;
    for (const { doing, timer, reject } of waiting.values()) {
      clearTimeout(timer);
      reject(shimGone(doing, cause));
    }
    waiting.clear();
    stream.destroy();
    onEnd(cause);
  };
  const take = (fields: readonly Field[]): void => {
    const seq = fieldOf(fields, 'seq');
    if (seq === undefined) {
      onEvent(fields);
      return;
    }
    // None for an answer that came after its limit.
    const asker = waiting.get(seq);
    clearTimeout(asker?.timer);
    waiting.delete(seq);
    settleRef();
    const failure = failureOf(fields);
    if (failure === undefined) asker?.resolve(fields);
    else asker?.reject(shimFailed(asker.doing, failure));
  };
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const fields of decoder.push(chunk)) take(fields);
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
  stream.on('error', end);
  stream.on('end', () => end(undefined));
  stream.on('close', () => end(undefined));
  return {
    call(doing, fields, limitMs = ANSWER_LIMIT_MS) {
      return new Promise((resolve, reject) => {
        if (ended) {
          reject(shimGone(doing));
          return;
        }
        const seq = String(++sequence);
        const frame = encodeFrame([['seq', seq], ...fields]);
        const timer = setTimeout(() => {
          waiting.delete(seq);
          settleRef();
          reject(shimSilent(doing, limitMs));
        }, limitMs);
        waiting.set(seq, { doing, timer, resolve, reject });
        settleRef();
        stream.write(frame);
      });
    },
  };
}
