// Owns the shapes of the event stream. No behaviour.

type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon';

export interface EngineEvent {
  readonly type: EventType;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix nanoseconds. */
  readonly timeNano: bigint;
}

export interface EventQuery {
  /** Unix nanoseconds. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Docker's filters, decoded; unknown keys match nothing special (Docker does not check them). */
  readonly filters: ReadonlyMap<string, readonly string[]>;
}

export interface Events {
  publish(event: Omit<EngineEvent, 'timeNano'>): void;
  /** Past events that match (a ring of 256), then live ones until `until`, the signal, or the reader stops. */
  subscribe(query: EventQuery, signal: AbortSignal): AsyncIterable<EngineEvent>;
}
