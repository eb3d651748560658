// Owns the face of durable work: jobs that are kept until they are done, in order, over failures and restarts. Knows no kind of work.

/** One piece of work. */
export interface Job<T> {
  readonly id: number;
  /** Jobs of one key are done one after the other, in the order in which they were added. */
  readonly key: string;
  readonly payload: T;
  /** Failed tries so far. */
  readonly attempts: number;
  /** Why the last try failed, '' before the first. */
  readonly error: string;
}

/** What stands for a job whether it waits or was given up. */
interface JobState {
  readonly isDead: boolean;
  readonly attempts: number;
  readonly error: string;
}

export interface QueueOptions<T> {
  /** Unique in the database, and the same over restarts: `webhooks/ci`. */
  readonly name: string;
  /** Does a job, perhaps for a second time: a crash may fall between the work and the record of it. A rejection is a failed try. */
  readonly work: (job: Job<T>, signal: AbortSignal) => Promise<void>;
  /** Jobs under way at once, of different keys. */
  readonly atOnce: number;
  /** The pause after the first failure; it doubles with each, up to the longest. */
  readonly pause: { readonly firstMs: number; readonly longestMs: number };
  /** Tries after which a job is given up and kept as a dead letter; undefined: never. */
  readonly attemptsMax?: number | undefined;
  /** More jobs than this do not wait: the oldest are given up. */
  readonly pendingMax?: number | undefined;
  /** More dead letters than this are not kept: the oldest go. */
  readonly deadMax?: number | undefined;
  /** Hears of every job that was done and every try that failed. */
  readonly onOutcome?: ((job: Job<T>, outcome: Outcome) => void) | undefined;
  /** Hears of what is no job's failure: records that cannot be read or written, jobs that were given up unseen. */
  readonly onTrouble: (message: string) => void;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** `attempts` counts the try that just ended. */
type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' | 'dead'; readonly attempts: number; readonly message: string };

/** A queue of durable jobs. Disposing it ends running ones by their signal, and waits for them; what was cut short is due at the next start. */
export interface JobQueue<T> extends AsyncDisposable {
  /** Adds a job behind those of its key. May be called in a transaction: the job is kept with it or not at all. */
  add(key: string, payload: T): void;
  /** As `add`, in the place of whatever waits or was given up under the key; a job that is running is done again afterwards. */
  replace(key: string, payload: T): void;
  /** Forgets what waits or was given up under a key. */
  cancel(key: string): void;
  /** The first job of a key, of those that wait or else of those that were given up. */
  state(key: string): JobState | undefined;
  /** Begins to work. */
  start(): void;
  counts(): { readonly pending: number; readonly dead: number };
  /** The error of some job that waits for another try, '' when there is none. */
  lastError(): string;
  /** Dead letters from after an id on, oldest first. */
  dead(after: number, limit: number): readonly Job<T>[];
  /** Gives a dead letter another life, behind what waits under its key; false when there is none such. */
  revive(id: number): boolean;
  /** Drops a dead letter; false when there is none such. */
  drop(id: number): boolean;
  [Symbol.asyncDispose](): Promise<void>;
}
