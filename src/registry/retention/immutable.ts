// Owns immutable tags: which they are, and the guard that keeps them where they point.

import { GantryError } from '../../lib/errors.ts';
import { fits } from '../glob.ts';
import type { Guard } from '../repositories/types.ts';

/** Tags that match one of the configured globs `repository:tag`, or `repository` for all of its tags. */
export class ImmutableTags {
  readonly #globs: readonly string[];

  constructor(globs: readonly string[]) {
    this.#globs = globs;
  }

  includes(repository: string, tag: string): boolean {
    return this.#globs.some((glob) => {
      const colon = glob.lastIndexOf(':');
      return colon < 0
        ? fits(repository, glob)
        : fits(repository, glob.slice(0, colon)) && fits(tag, glob.slice(colon + 1));
    });
  }

  /** Refuses to move or delete an immutable tag. Does nothing when no glob is configured. */
  guard(): Guard {
    if (this.#globs.length === 0) return {};
    return {
      beforePut: async ({ repository, reference }, digest, previous) => {
        if (previous !== undefined && previous !== digest) this.#refuse(repository, reference);
      },
      beforeDelete: (repository, what) => {
        if ('tag' in what) this.#refuse(repository, what.tag);
      },
    };
  }

  /** @throws DENIED when the tag is immutable */
  #refuse(repository: string, tag: string): void {
    if (!this.includes(repository, tag)) return;
    throw new GantryError('forbidden', 'DENIED', `the tag ${tag} is immutable`, { params: { repository, tag } });
  }
}
