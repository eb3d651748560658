// Owns a progress reply: the status is open until the first line, a slow client gets fewer counting lines. Words nothing.

import type { ServerResponse } from 'node:http';
import type { ImageProgress } from '../engine/images/types.ts';
import { errorLine, isCounting, progressLine } from './progress-text.ts';
import type { ReplyWriter } from './reply.ts';

const MIN_INTERVAL_MS = 100;

/** Lines of one long operation. */
export interface ProgressStream {
  readonly report: (event: ImageProgress) => void;
  /** Ends a stream that went well; sends an empty 200 when there was no line. */
  finish(): void;
  /** Writes the error as the last line; before any line it throws it, so that it becomes a status. */
  fail(error: unknown): void;
}

/** `failsAs`: what a failure before any line becomes. Docker's load always answers 200. @source dockerd 28.5 */
export function openProgress(
  response: ServerResponse,
  writer: ReplyWriter,
  failsAs: 'status' | 'line' = 'status',
): ProgressStream {
  /** id → last counting event that a slow or hasty stream held back. */
  const held = new Map<string, ImageProgress>();
  const lastCountMs = new Map<string, number>();

  const write = (line: string): void => {
    if (!response.headersSent) writer.head(response, 200, 'application/json');
    if (!response.destroyed) response.write(line);
  };
  const flush = (): void => {
    for (const event of held.values()) write(progressLine(event));
    held.clear();
  };
  response.on('drain', flush);

  const count = (event: ImageProgress): void => {
    const id = event.id ?? '';
    const nowMs = performance.now();
    const done = event.current !== undefined && event.current === event.total;
    const hasty = nowMs - (lastCountMs.get(id) ?? Number.NEGATIVE_INFINITY) < MIN_INTERVAL_MS && !done;
    if (hasty || response.writableNeedDrain) {
      if (response.writableNeedDrain) held.set(id, event);
      return;
    }
    lastCountMs.set(id, nowMs);
    write(progressLine(event));
  };

  return {
    report(event) {
      if (isCounting(event)) return count(event);
      held.delete(event.id ?? '');
      write(progressLine(event));
    },
    finish() {
      flush();
      if (!response.headersSent) writer.head(response, 200, 'application/json');
      response.end();
    },
    fail(error) {
      if (!response.headersSent) {
        if (failsAs === 'status') throw error;
        writer.head(response, 200, 'application/json');
      }
      flush();
      response.end(errorLine(error));
    },
  };
}
