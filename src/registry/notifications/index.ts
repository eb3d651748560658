// The face of notifications: events of the registry to webhooks, at least once, in order per repository, over restarts.

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Database } from '../../store/database.ts';
import type { WebhookConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Exchange, Route } from '../http/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { envelopeOf, signatureOf } from './envelope.ts';
import { type Delivery, Outbox } from './outbox.ts';

const LONGEST_PAUSE_MS = 3_600_000;
/** Repositories of one webhook that are told of at once. */
const AT_ONCE = 8;
const BOUND_EVERY = 1000;
const ANSWER_MAX_BYTES = 64 * 1024;
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

class Webhooks implements Notifications {
  #delivered = 0;
  #failed = 0;
  readonly #options: NotificationsOptions;
  readonly #now: () => number;
  readonly #outbox: Outbox;
  readonly #aborter = new AbortController();
  readonly #last = new Map<string, { atMs: number; error: string }>();
  #added = 0;
  #isStarted = false;
  #wakeAt: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #isWoken = false;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#outbox = new Outbox(options.database);
  }

  readonly listener: EventListener = (event) => {
    const wanting = this.#options.webhooks.filter(
      ({ actions, repositories }) =>
        (actions.length === 0 || actions.includes(event.action)) && fitsAny(event.repository, repositories),
    );
    if (wanting.length === 0) return;
    this.#options.database.transaction(() => {
      for (const { name } of wanting) {
        this.#outbox.add(name, event);
        if (++this.#added % BOUND_EVERY === 0) this.#bound(name);
      }
    });
    // The transaction that we may be in ends before this turn does.
    setImmediate(() => this.#wake());
  };

  counts() {
    const kept = this.#options.webhooks.map(({ name }) => this.#outbox.counts(name));
    return {
      delivered: this.#delivered,
      failed: this.#failed,
      pending: kept.reduce((total, { pending }) => total + pending, 0),
      dead: kept.reduce((total, { dead }) => total + dead, 0),
    };
  }

  start(): void {
    this.#isStarted = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#wakeAt);
    this.#aborter.abort();
    await this.#round;
  }

  #bound(webhook: string): void {
    const given = this.#outbox.bound(webhook);
    if (given > 0) this.#options.log('warn', `webhook ${webhook}: ${given} events were given up, too many are waiting`);
  }

  /** One round at a time; who calls during one gets another after it. */
  #wake(): void {
    if (!this.#isStarted) return;
    this.#isWoken = true;
    clearTimeout(this.#wakeAt);
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined;
      if (this.#isWoken) this.#wake();
      else this.#sleep();
    });
  }

  #sleep(): void {
    const due = this.#isStarted ? this.#outbox.nextDueMs() : undefined;
    if (due === undefined) return;
    this.#wakeAt = setTimeout(() => this.#wake(), Math.min(Math.max(due - this.#now(), 10), LONGEST_PAUSE_MS));
  }

  async #rounds(): Promise<void> {
    this.#isWoken = false;
    await Promise.all(this.#options.webhooks.map((webhook) => this.#drain(webhook)));
  }

  /** A receiver that is slow holds up no other. */
  async #drain(webhook: WebhookConfig): Promise<void> {
    while (this.#isStarted) {
      const due = this.#outbox.due(webhook.name, this.#now(), AT_ONCE);
      if (due.length === 0) return;
      await Promise.all(due.map((delivery) => this.#deliver(webhook, delivery)));
    }
  }

  async #deliver(webhook: WebhookConfig, delivery: Delivery): Promise<void> {
    try {
      await post(webhook, delivery, this.#options.source(), this.#aborter.signal);
      this.#outbox.delivered(delivery.id);
      this.#delivered++;
      this.#last.set(webhook.name, { atMs: this.#now(), error: '' });
    } catch (error) {
      if (!this.#isStarted) return;
      const why = messageOf(error);
      const tries = delivery.attempts + 1;
      const isDead = tries >= webhook.maxAttempts;
      const pauseMs = Math.min(webhook.backoffMs * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      // Up to a quarter more, so that many events do not come back in one moment.
      const dueMs = this.#now() + Math.round(pauseMs * (1 + Math.random() / 4));
      this.#outbox.failed(delivery.id, why, dueMs, isDead);
      this.#failed++;
      this.#last.set(webhook.name, { atMs: this.#now(), error: why });
      if (isDead)
        this.#options.log(
          'warn',
          `webhook ${webhook.name}: event ${delivery.event.id} was given up after ${tries} tries: ${why}`,
        );
    }
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
      route('GET', '', (exchange) =>
        exchange.json(200, { webhooks: this.#options.webhooks.map((hook) => this.#view(hook)) }),
      ),
      route('POST', '/{webhook}/test', (exchange) => this.#test(exchange)),
      route('GET', '/{webhook}/dead', (exchange) => this.#listDead(exchange)),
      route('POST', '/{webhook}/dead/{id}/retry', (exchange) => this.#retry(exchange)),
      route('DELETE', '/{webhook}/dead/{id}', (exchange) => this.#bury(exchange)),
    ];
  }

  #view({ name, url, format, actions, repositories }: WebhookConfig) {
    const last = this.#last.get(name);
    return {
      name,
      url,
      format,
      actions,
      repositories,
      ...this.#outbox.counts(name),
      ...(last ? { lastAt: new Date(last.atMs).toISOString(), lastError: last.error } : {}),
    };
  }

  #named(exchange: Exchange): WebhookConfig {
    const { webhook = '' } = exchange.parameters;
    const found = this.#options.webhooks.find(({ name }) => name === webhook);
    if (!found) throw new GantryError('notFound', 'WEBHOOK_UNKNOWN', `there is no webhook ${webhook.slice(0, 100)}`);
    return found;
  }

  async #test(exchange: Exchange): Promise<void> {
    const webhook = this.#named(exchange);
    const event = testEvent(this.#now());
    const delivery = { id: 0, webhook: webhook.name, event, attempts: 0, dueMs: 0, error: '' };
    try {
      await post(webhook, delivery, this.#options.source(), exchange.signal);
      exchange.json(200, { isDelivered: true });
    } catch (error) {
      exchange.json(200, { isDelivered: false, error: messageOf(error) });
    }
  }

  #listDead(exchange: Exchange): void {
    const { name } = this.#named(exchange);
    const after = Number(exchange.query.get('last') ?? 0) || 0;
    const dead = this.#outbox
      .dead(name, after, DEAD_PAGE)
      .map(({ id, event, attempts, error }) => ({ id, event, attempts, error }));
    exchange.json(200, { dead });
  }

  #retry(exchange: Exchange): void {
    const { name } = this.#named(exchange);
    if (!this.#outbox.revive(name, Number(exchange.parameters.id))) throw noSuchLetter();
    this.#wake();
    exchange.send(202, {});
  }

  #bury(exchange: Exchange): void {
    const { name } = this.#named(exchange);
    if (!this.#outbox.bury(name, Number(exchange.parameters.id))) throw noSuchLetter();
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

/** Sends one delivery. Any 2xx is success; redirects are not followed. @throws Error with what went wrong */
function post(webhook: WebhookConfig, delivery: Delivery, source: string, signal: AbortSignal): Promise<void> {
  const { contentType, body } = envelopeOf(webhook.format, delivery.event, source);
  const signed = webhook.secret === undefined ? {} : { 'X-Gantry-Signature': signatureOf(webhook.secret, body) };
  const headers = {
    'User-Agent': 'gantry-registry',
    ...webhook.headers,
    'Content-Type': contentType,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Gantry-Event-Id': delivery.event.id,
    'X-Gantry-Attempt': String(delivery.attempts + 1),
    ...signed,
  };
  const send = webhook.url.startsWith('https:') ? httpsRequest : httpRequest;
  const within = AbortSignal.any([signal, AbortSignal.timeout(webhook.timeoutMs)]);
  return new Promise((resolve, reject) => {
    const call = send(webhook.url, { method: 'POST', headers, signal: within }, (answer) => {
      const { statusCode = 0 } = answer;
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > ANSWER_MAX_BYTES) answer.destroy();
      });
      answer.once('error', () => undefined);
      answer.once('close', () => {
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`the receiver answered ${statusCode}`));
      });
    });
    call.once('error', (error) =>
      reject(within.aborted && !signal.aborted ? new Error(`no answer in ${webhook.timeoutMs} ms`) : error),
    );
    call.end(body);
  });
}
