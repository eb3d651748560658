// Owns a bounded memory of verdicts by repository and digest. Judges nothing itself.

import type { Digest } from '../../spec/digest.ts';

const REPOSITORIES_MAX = 200;
const PER_REPOSITORY_MAX = 500;

type Verdict = Promise<string | undefined>;

/** Verdicts of many repositories; a repository's are dropped together. */
export class Verdicts {
  readonly #repositories = new Map<string, Map<Digest, Verdict>>();

  /** The verdict that is known, or that `judge` finds. Failures are not remembered. */
  get(repository: string, digest: Digest, judge: () => Verdict): Verdict {
    const verdicts = this.#of(repository);
    const known = verdicts.get(digest);
    if (known) return known;
    if (verdicts.size >= PER_REPOSITORY_MAX) verdicts.clear();
    const verdict = judge();
    verdicts.set(digest, verdict);
    verdict.catch(() => verdicts.get(digest) === verdict && verdicts.delete(digest));
    return verdict;
  }

  /** A judgement that is under way ends in a map that nobody reads any more. */
  forget(repository: string): void {
    this.#repositories.delete(repository);
  }

  #of(repository: string): Map<Digest, Verdict> {
    const verdicts = this.#repositories.get(repository) ?? new Map<Digest, Verdict>();
    // Last used goes last: the first is dropped when there are too many.
    this.#repositories.delete(repository);
    this.#repositories.set(repository, verdicts);
    const [oldest] = this.#repositories.keys();
    if (this.#repositories.size > REPOSITORIES_MAX && oldest !== undefined) this.#repositories.delete(oldest);
    return verdicts;
  }
}
