// Owns lists of CPUs and memory nodes such as `0-3,8`. Pure.

import { invalid } from '../errors.ts';

/** Docker reads no number above. */
const HIGHEST = 8192;

interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * True when every number of `asked` is in `available`. `what` is `cpus` or `mems`, for the message.
 * @throws CPUSET_INVALID with Docker's text
 * @source dockerd 28.5
 */
export function isInCpuset(asked: string, available: string, what: string): boolean {
  const spans = parse(asked, what);
  const have = parse(available, what);
  return spans.every((span) => {
    for (let number = span.first; number <= span.last; number++)
      if (!have.some(({ first, last }) => first <= number && number <= last)) return false;
    return true;
  });
}

function parse(text: string, what: string): readonly Span[] {
  if (text === '') return [];
  const fail = (why: string) => invalid('CPUSET_INVALID', `Invalid value ${text} for cpuset ${what}: ${why}`);
  return text.split(',').map((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first) throw fail(`invalid format: ${text}`);
    if (last > HIGHEST) throw fail(`value of out range, maximum is ${HIGHEST}`);
    return { first, last };
  });
}
