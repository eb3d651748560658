// The face of notifications: events of the registry to webhooks, at least once, in order per repository, over restarts.

import { randomUUID } from 'node:crypto';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Database, Migrations } from '../../store/database.ts';
import { copyIntoJobs, createQueue, type Job, type JobQueue, migrateJobs } from '../../store/jobs/index.ts';
import type { WebhookConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Exchange, Route } from '../http/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { deliver } from './deliver.ts';

const MIGRATIONS: Migrations = {
  name: 'notifications',
  steps: [
    `CREATE TABLE notifications_outbox (
       id INTEGER PRIMARY KEY, webhook TEXT NOT NULL, repository TEXT NOT NULL, event TEXT NOT NULL,
       attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, is_dead INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
     CREATE INDEX notifications_outbox_queue ON notifications_outbox (webhook, is_dead, repository, id);`,
    `${copyIntoJobs(
      `'webhooks/' || webhook AS queue, repository AS key, event AS payload, is_dead, attempts, due_ms, error`,
      'notifications_outbox ORDER BY id',
    )}
     DROP TABLE notifications_outbox;`,
  ],
};

const LONGEST_PAUSE_MS = 3_600_000;
/** Repositories of one webhook whose events are sent at the same time. */
const AT_ONCE = 8;
/** What is kept for one receiver that does not answer; the oldest become dead letters, and of these the oldest go. */
const PENDING_MAX = 100_000;
const DEAD_MAX = 10_000;
const DEAD_PAGE = 100;

export interface NotificationsOptions {
  readonly webhooks: readonly WebhookConfig[];
  readonly database: Database;
  readonly log: Log;
  /** This registry's URL, for the events' targets. */
  readonly source: () => string;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Notifications extends AsyncDisposable {
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  start(): void;
  /** Deliveries and failed tries since the start, and what is kept now. */
  counts(): { readonly delivered: number; readonly failed: number; readonly pending: number; readonly dead: number };
}

/** Makes the webhooks; nothing is sent before `start`. */
export function createNotifications(options: NotificationsOptions): Notifications {
  return new Webhooks(options);
}

/** A webhook with the events that are still to be delivered to it. */
class Webhook implements AsyncDisposable {
  readonly config: WebhookConfig;
  readonly queue: JobQueue<RegistryEvent>;
  delivered = 0;
  failed = 0;
  last: { readonly atMs: number; readonly error: string } | undefined;

  constructor(config: WebhookConfig, { database, log, source, now = Date.now }: NotificationsOptions) {
    this.config = config;
    this.queue = createQueue<RegistryEvent>(database, {
      name: `webhooks/${config.name}`,
      work: ({ payload: event, attempts }, signal) => deliver(config, { event, attempts }, source(), signal),
      atOnce: AT_ONCE,
      pause: { firstMs: config.backoffMs, longestMs: LONGEST_PAUSE_MS },
      attemptsMax: config.maxAttempts,
      pendingMax: PENDING_MAX,
      deadMax: DEAD_MAX,
      now,
      onTrouble: (message) => log('warn', message),
      onOutcome: ({ payload: event }, outcome) => {
        const error = outcome.kind === 'done' ? '' : outcome.message;
        this.last = { atMs: now(), error };
        if (outcome.kind === 'done') this.delivered++;
        else this.failed++;
        if (outcome.kind === 'dead')
          log(
            'warn',
            `webhook ${config.name}: event ${event.id} was given up after ${outcome.attempts} tries: ${error}`,
          );
      },
    });
  }

  wants({ action, repository }: RegistryEvent): boolean {
    const { actions, repositories } = this.config;
    return (actions.length === 0 || actions.includes(action)) && fitsAny(repository, repositories);
  }

  get view() {
    const { name, url, format, actions, repositories } = this.config;
    const last = this.last && { lastAt: new Date(this.last.atMs).toISOString(), lastError: this.last.error };
    return { name, url, format, actions, repositories, ...this.queue.counts(), ...last };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.queue[Symbol.asyncDispose]();
  }
}

class Webhooks implements Notifications {
  readonly #options: NotificationsOptions;
  readonly #webhooks: readonly Webhook[];

  constructor(options: NotificationsOptions) {
    this.#options = options;
    migrateJobs(options.database);
    options.database.migrate(MIGRATIONS);
    this.#webhooks = options.webhooks.map((config) => new Webhook(config, options));
  }

  readonly listener: EventListener = (event) => {
    const wanting = this.#webhooks.filter((webhook) => webhook.wants(event));
    if (wanting.length === 0) return;
    this.#options.database.transaction(() => {
      for (const { queue } of wanting) queue.add(event.repository, event);
    });
  };

  counts() {
    const kept = this.#webhooks.map(({ queue }) => queue.counts());
    return {
      delivered: this.#webhooks.reduce((total, { delivered }) => total + delivered, 0),
      failed: this.#webhooks.reduce((total, { failed }) => total + failed, 0),
      pending: kept.reduce((total, { pending }) => total + pending, 0),
      dead: kept.reduce((total, { dead }) => total + dead, 0),
    };
  }

  start(): void {
    for (const { queue } of this.#webhooks) queue.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#webhooks.map((webhook) => webhook[Symbol.asyncDispose]()));
  }

  get routes(): readonly Route[] {
    const route = (method: Route['method'], path: string, handle: Route['handle']): Route => ({
      method,
      path: `/v2/_gantry/webhooks${path}`,
      right: 'admin',
      label: 'webhooks',
      handle,
    });
    return [
      route('GET', '', (exchange) => exchange.json(200, { webhooks: this.#webhooks.map(({ view }) => view) })),
      route('POST', '/{webhook}/test', (exchange) => this.#test(exchange)),
      route('GET', '/{webhook}/dead', (exchange) => this.#listDead(exchange)),
      route('POST', '/{webhook}/dead/{id}/retry', (exchange) => this.#retry(exchange)),
      route('DELETE', '/{webhook}/dead/{id}', (exchange) => this.#drop(exchange)),
    ];
  }

  #named(exchange: Exchange): Webhook {
    const { webhook = '' } = exchange.parameters;
    const found = this.#webhooks.find(({ config }) => config.name === webhook);
    if (!found) throw new GantryError('notFound', 'WEBHOOK_UNKNOWN', `there is no webhook ${webhook.slice(0, 100)}`);
    return found;
  }

  async #test(exchange: Exchange): Promise<void> {
    const { config } = this.#named(exchange);
    const event = testEvent((this.#options.now ?? Date.now)());
    try {
      await deliver(config, { event, attempts: 0 }, this.#options.source(), exchange.signal);
      exchange.json(200, { isDelivered: true });
    } catch (error) {
      exchange.json(200, { isDelivered: false, error: messageOf(error) });
    }
  }

  #listDead(exchange: Exchange): void {
    const { queue } = this.#named(exchange);
    const after = Number(exchange.query.get('last') ?? 0) || 0;
    const view = ({ id, payload: event, attempts, error }: Job<RegistryEvent>) => ({ id, event, attempts, error });
    exchange.json(200, { dead: queue.dead(after, DEAD_PAGE).map(view) });
  }

  #retry(exchange: Exchange): void {
    if (!this.#named(exchange).queue.requeue(Number(exchange.parameters.id))) throw noSuchLetter();
    exchange.send(202, {});
  }

  #drop(exchange: Exchange): void {
    if (!this.#named(exchange).queue.drop(Number(exchange.parameters.id))) throw noSuchLetter();
    exchange.send(204, {});
  }
}

function noSuchLetter(): GantryError {
  return new GantryError('notFound', 'DEAD_LETTER_UNKNOWN', 'there is no such dead letter');
}

function testEvent(nowMs: number): RegistryEvent {
  return {
    id: randomUUID(),
    action: 'push',
    at: new Date(nowMs).toISOString(),
    repository: 'gantry/test',
    digest: `sha256:${'0'.repeat(64)}` as RegistryEvent['digest'],
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    sizeBytes: 0,
    tag: 'test',
    actor: { name: 'gantry-registry', kind: 'system' },
  };
}
