// Owns the shape of a conformance case. No behaviour.

/**
 * Shell lines in which `docker` is the command line under test and `$N` a name of the case's own. Each step's exit code, stdout
 * and stderr are compared with what a real Docker Engine 28 answered (golden/). A case MUST NOT touch what it did not make.
 */
export interface Case {
  /** What a user would lose. */
  readonly name: string;
  readonly steps: readonly string[];
  /** Why it is not run with one of the command lines. */
  readonly skip?: Readonly<Partial<Record<'docker' | 'gantry', string>>>;
}
