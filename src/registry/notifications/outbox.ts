// Owns the events that are still to be delivered, in the records: written with what they tell of, gone when delivered. Sends nothing.

import type { Database, Migrations } from '../../store/database.ts';
import type { RegistryEvent } from '../types.ts';

export const MIGRATIONS: Migrations = {
  name: 'notifications',
  steps: [
    `CREATE TABLE notifications_outbox (
       id INTEGER PRIMARY KEY, webhook TEXT NOT NULL, repository TEXT NOT NULL, event TEXT NOT NULL,
       attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, is_dead INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
     CREATE INDEX notifications_outbox_queue ON notifications_outbox (webhook, is_dead, repository, id);`,
  ],
};

/** What is kept for one receiver that does not answer; the oldest become dead letters, and of these the oldest go. */
const PENDING_MAX = 100_000;
const DEAD_MAX = 10_000;

/** One event on its way to one webhook. */
export interface Delivery {
  readonly id: number;
  readonly webhook: string;
  readonly event: RegistryEvent;
  /** Failed tries so far. */
  readonly attempts: number;
  readonly dueMs: number;
  readonly error: string;
}

/** The table of deliveries. */
export class Outbox {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATIONS);
  }

  add(webhook: string, event: RegistryEvent): void {
    this.#db
      .sql(
        `INSERT INTO notifications_outbox (webhook, repository, event, attempts, due_ms, is_dead, error) VALUES (?, ?, ?, 0, 0, 0, '')`,
      )
      .run(webhook, event.repository, JSON.stringify(event));
  }

  /** The first delivery of each repository that is due: what comes after it waits for it. */
  due(webhook: string, nowMs: number, limit: number): readonly Delivery[] {
    return this.#db
      .sql(`SELECT o.* FROM notifications_outbox o JOIN (SELECT min(id) AS id FROM notifications_outbox
              WHERE webhook = ? AND is_dead = 0 GROUP BY repository) heads ON heads.id = o.id
            WHERE o.due_ms <= ? ORDER BY o.id LIMIT ?`)
      .all(webhook, nowMs, limit)
      .map(deliveryOf);
  }

  /** When the next delivery of any webhook is due, Unix milliseconds. */
  nextDueMs(): number | undefined {
    const row = this.#db
      .sql(`SELECT min(due_ms) AS due FROM notifications_outbox WHERE id IN
            (SELECT min(id) FROM notifications_outbox WHERE is_dead = 0 GROUP BY webhook, repository)`)
      .get();
    return row?.due === null || row?.due === undefined ? undefined : Number(row.due);
  }

  delivered(id: number): void {
    this.#db.sql('DELETE FROM notifications_outbox WHERE id = ?').run(id);
  }

  failed(id: number, error: string, dueMs: number, isDead: boolean): void {
    this.#db
      .sql('UPDATE notifications_outbox SET attempts = attempts + 1, error = ?, due_ms = ?, is_dead = ? WHERE id = ?')
      .run(error.slice(0, 500), dueMs, isDead ? 1 : 0, id);
  }

  /** Keeps both lists of a webhook within bounds; the number of deliveries that were given up. */
  bound(webhook: string): number {
    const over = this.#db
      .sql(`UPDATE notifications_outbox SET is_dead = 1, error = 'too many events are waiting' WHERE id IN
            (SELECT id FROM notifications_outbox WHERE webhook = ? AND is_dead = 0 ORDER BY id DESC LIMIT -1 OFFSET ${PENDING_MAX})`)
      .run(webhook);
    this.#db
      .sql(`DELETE FROM notifications_outbox WHERE id IN
            (SELECT id FROM notifications_outbox WHERE webhook = ? AND is_dead = 1 ORDER BY id DESC LIMIT -1 OFFSET ${DEAD_MAX})`)
      .run(webhook);
    return Number(over.changes);
  }

  counts(webhook: string): { readonly pending: number; readonly dead: number } {
    const row = this.#db
      .sql('SELECT count(*) AS total, coalesce(sum(is_dead), 0) AS dead FROM notifications_outbox WHERE webhook = ?')
      .get(webhook);
    const dead = Number(row?.dead ?? 0);
    return { pending: Number(row?.total ?? 0) - dead, dead };
  }

  dead(webhook: string, after: number, limit: number): readonly Delivery[] {
    return this.#db
      .sql('SELECT * FROM notifications_outbox WHERE webhook = ? AND is_dead = 1 AND id > ? ORDER BY id LIMIT ?')
      .all(webhook, after, limit)
      .map(deliveryOf);
  }

  /** Gives a dead letter another life; false when there is none such. */
  revive(webhook: string, id: number): boolean {
    const done = this.#db
      .sql(
        'UPDATE notifications_outbox SET is_dead = 0, attempts = 0, due_ms = 0 WHERE webhook = ? AND id = ? AND is_dead = 1',
      )
      .run(webhook, id);
    return Number(done.changes) > 0;
  }

  /** Drops a dead letter; false when there is none such. */
  bury(webhook: string, id: number): boolean {
    const done = this.#db
      .sql('DELETE FROM notifications_outbox WHERE webhook = ? AND id = ? AND is_dead = 1')
      .run(webhook, id);
    return Number(done.changes) > 0;
  }
}

function deliveryOf(row: Readonly<Record<string, unknown>>): Delivery {
  return {
    id: Number(row.id),
    webhook: String(row.webhook),
    event: JSON.parse(String(row.event)) as RegistryEvent,
    attempts: Number(row.attempts),
    dueMs: Number(row.due_ms),
    error: String(row.error),
  };
}
