// Owns how often progress is reported: ten times a second for each layer, and always at the end.

import type { ReportProgress } from './types.ts';

const INTERVAL_MS = 100;

/** A counter that reports `current` of `total` as Docker's progress lines, not too often. */
export function countedProgress(
  report: ReportProgress,
  id: string,
  status: string,
  total: number,
  now: () => number = () => performance.now(),
): (current: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let told = -1;
  return (current) => {
    const done = current >= total;
    if (current === told || (!done && now() - toldAt < INTERVAL_MS)) return;
    toldAt = now();
    told = current;
    report({ id, status, current, total });
  };
}
