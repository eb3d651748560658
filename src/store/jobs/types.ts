// Owns the face of durable work: jobs that are stored until they are done, in order, across failures and restarts. Knows no kind of work.

/** One piece of work. */
export interface Job<T> {
  readonly id: number;
  /** Jobs of one key run one at a time, in the order in which they were added. */
  readonly key: string;
  readonly payload: T;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** Why the last attempt failed, '' before the first. */
  readonly error: string;
}

/** The state of a job that waits or was given up. */
interface JobState {
  readonly isDead: boolean;
  readonly attempts: number;
  readonly error: string;
}

export interface QueueOptions<T> {
  /** Unique in the database, and stable across restarts: `webhooks/ci`. */
  readonly name: string;
  /** Runs a job, possibly a second time: a crash may come between the work and its record. A rejection is a failed attempt. */
  readonly work: (job: Job<T>, signal: AbortSignal) => Promise<void>;
  /** The most jobs, of different keys, that run in parallel. */
  readonly atOnce: number;
  /** The pause after the first failure; it doubles with each, up to the longest. */
  readonly pause: { readonly firstMs: number; readonly longestMs: number };
  /** After this many attempts a job becomes a dead letter; undefined: never. */
  readonly attemptsMax?: number | undefined;
  /** The most jobs that wait: beyond it, the oldest become dead letters. */
  readonly pendingMax?: number | undefined;
  /** The most dead letters: beyond it, the oldest are removed. */
  readonly deadMax?: number | undefined;
  /** Called after every job that was done and every failed attempt. */
  readonly onOutcome?: ((job: Job<T>, outcome: Outcome) => void) | undefined;
  /** Called for trouble that is no job's failure: unreadable records, or waiting jobs that were given up for lack of room. */
  readonly onTrouble: (message: string) => void;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** `attempts` includes the one that just ended. */
type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' | 'dead'; readonly attempts: number; readonly message: string };

/** Puts jobs into a queue, and shows the state of one. */
export interface Jobs<T> {
  /** Adds a job after those of its key. In a transaction, the job is stored if the transaction commits. */
  add(key: string, payload: T): void;
  /** As `add`, in place of the jobs of the key that wait or were given up. A running job is run again afterwards. */
  replace(key: string, payload: T): void;
  /** Removes the jobs of a key that wait or were given up. */
  cancel(key: string): void;
  /** The first job of a key, of those that wait or else of those that were given up. */
  state(key: string): JobState | undefined;
}

/** What an operator sees of a queue. */
export interface QueueStatus {
  counts(): { readonly pending: number; readonly dead: number };
  /** The error of some job that waits for another attempt, '' when there is none. */
  lastError(): string;
}

/** Jobs that were given up. */
interface DeadLetters<T> {
  /** Dead letters after an id, oldest first. */
  dead(after: number, limit: number): readonly Job<T>[];
  /** Puts a dead letter back into the queue, after the jobs of its key; false when there is none with this id. */
  requeue(id: number): boolean;
  /** Removes a dead letter; false when there is none with this id. */
  drop(id: number): boolean;
}

/** Runs the jobs of a queue. Disposing it aborts running jobs by their signal and awaits them; they are due again at the next start. */
interface QueueRunner extends AsyncDisposable {
  start(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A queue of durable jobs. */
export type JobQueue<T> = Jobs<T> & QueueStatus & DeadLetters<T> & QueueRunner;
