// Owns the shapes of the health capability. No behaviour.

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** One probe. Times are RFC 3339 with nanoseconds. */
export interface ProbeRecord {
  readonly start: string;
  readonly end: string;
  /** -1 when it took too long or could not be run. */
  readonly exitCode: number;
  /** At most 4096 bytes. */
  readonly output: string;
}

/** What is known of a container's health; kept in memory while the engine lives. */
export interface HealthState {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly ProbeRecord[];
}
