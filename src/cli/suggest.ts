// Owns guessing which word was meant. Pure.

/** Longer words may have two faults. */
const LONG_WORD = 5;

/** The candidate that is most like `word`, or undefined when none is like it. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const allowed = word.length < LONG_WORD ? 1 : 2;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    const distance = distanceOf(word.toLowerCase(), candidate);
    // A word that was cut short is like what it begins.
    const rated = distance <= allowed ? distance : word.length >= 3 && candidate.startsWith(word) ? allowed : distance;
    if (rated < bestDistance) [best, bestDistance] = [candidate, rated];
  }
  return best;
}

/** Insertions, deletions, changes and swaps of neighbours between two words. */
function distanceOf(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_item, at) => at);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
