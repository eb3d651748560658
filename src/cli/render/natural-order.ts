// Owns sorting texts as people count: `web2` before `web10`. Pure.

/** Below zero when `left` comes first; runs of digits compare as numbers, the rest by code unit. */
export function naturalCompare(left: string, right: string): number {
  const leftParts = left.match(PARTS) ?? [];
  const rightParts = right.match(PARTS) ?? [];
  for (let at = 0; at < Math.min(leftParts.length, rightParts.length); at++) {
    const order = comparePart(leftParts[at] ?? '', rightParts[at] ?? '');
    if (order !== 0) return order;
  }
  return leftParts.length - rightParts.length;
}

const PARTS = /\d+|\D/g;
const DIGITS = /^\d+$/;

function comparePart(left: string, right: string): number {
  if (DIGITS.test(left) && DIGITS.test(right)) {
    const difference = BigInt(left) - BigInt(right);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}
