// Owns the types that the parts of the registry share: actors, events, listeners and the log. No behaviour.

import type { Digest } from '../spec/digest.ts';

/** Rights in a repository. */
export type Action = 'pull' | 'push' | 'delete';

/** The authenticated author of an action. */
export interface Actor {
  /** '' for anonymous. */
  readonly name: string;
  readonly kind: 'anonymous' | 'user' | 'robot' | 'system';
}

/** Work that the registry does by itself: retention, replication, scans. */
export const SYSTEM: Actor = { name: 'gantry-registry', kind: 'system' };

/** The request behind an event, for its envelope. */
export interface RequestFacts {
  readonly id: string;
  /** Remote address and port. */
  readonly address: string;
  /** The Host header. */
  readonly host: string;
  readonly method: string;
  readonly userAgent: string;
}

/** The media type that events about blobs bear. */
export const BLOB_TYPE = 'application/octet-stream';

type EventAction = 'push' | 'pull' | 'delete' | 'mount' | 'sign' | 'scan';

/** Something that happened in a repository. */
export interface RegistryEvent {
  /** UUID. */
  readonly id: string;
  readonly action: EventAction;
  /** RFC 3339. */
  readonly at: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly tag?: string | undefined;
  /** For `mount`: the repository that the blob came from. */
  readonly fromRepository?: string | undefined;
  /** For `sign` and `scan`: the manifest that was signed or scanned. */
  readonly subject?: Digest | undefined;
  readonly actor: Actor;
  readonly request?: RequestFacts | undefined;
}

/**
 * A listener of events. It is called inside the transaction of the change; for `pull`, `sign` and `scan` outside of any. It is synchronous,
 * must not throw, and may write its own tables, which commit or roll back with the change.
 */
export type EventListener = (event: RegistryEvent) => void;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;
