// Owns doing one thing to each of several targets: all are tried, names are printed in order, failures come last.
import { joinFailures } from '../explain.ts';
import type { Session } from '../session.ts';

/** At most so many calls are under way at once. @source docker 28.2.2 parallelOperation */
const PARALLEL = 50;

/**
 * Runs `act` on every target, several at a time; prints what each resolves with (nothing for undefined).
 * @throws CommandFailure (1) with the failures, one a line
 */
export async function eachTarget(
  session: Session,
  targets: readonly string[],
  act: (target: string) => Promise<string | undefined>,
): Promise<number> {
  const failures: unknown[] = [];
  for (let from = 0; from < targets.length; from += PARALLEL) {
    const results = await Promise.allSettled(targets.slice(from, from + PARALLEL).map(act));
    for (const result of results) {
      if (result.status === 'rejected') failures.push(result.reason);
      else if (result.value !== undefined) session.line(result.value);
    }
  }
  if (failures.length > 0) throw joinFailures(failures);
  return 0;
}

/** For acts that print the target's name. */
export async function eachNamed(
  session: Session,
  targets: readonly string[],
  act: (target: string) => Promise<unknown>,
): Promise<number> {
  return eachTarget(session, targets, async (target) => {
    await act(target);
    return target;
  });
}
