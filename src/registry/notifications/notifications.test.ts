// What happened in the registry must reach its receivers: once at least, in order, over failures and restarts.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Database, openDatabase } from '../../store/database.ts';
import type { WebhookConfig } from '../config/types.ts';
import type { RegistryEvent } from '../types.ts';
import { signatureOf } from './envelope.ts';
import { createNotifications, type Notifications } from './index.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly tag: string;
}

/** A receiver whose answers a test decides. */
async function receiver(answer: (received: Received, count: number) => number) {
  const all: Received[] = [];
  let waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    const parsed = JSON.parse(body) as { events?: { target: { tag: string } }[]; data?: { target: { tag: string } } };
    const received = { headers: request.headers, body, tag: (parsed.events?.[0] ?? parsed.data)?.target.tag ?? '' };
    all.push(received);
    response.writeHead(answer(received, all.length)).end();
    for (const wake of waiting) wake();
    waiting = [];
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    all,
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const hook = (url: string, more: Partial<WebhookConfig> = {}): WebhookConfig => ({
  name: 'ci',
  url,
  format: 'distribution',
  headers: {},
  actions: [],
  repositories: ['**'],
  timeoutMs: 2000,
  maxAttempts: 5,
  backoffMs: 1,
  ...more,
});

let count = 0;
const event = (repository: string, tag: string, action: RegistryEvent['action'] = 'push'): RegistryEvent => ({
  id: `event-${++count}`,
  action,
  at: new Date(0).toISOString(),
  repository,
  digest: `sha256:${'a'.repeat(64)}` as RegistryEvent['digest'],
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  sizeBytes: 7,
  tag,
  actor: { name: 'ann', kind: 'user' },
});

function notifications(database: Database, webhooks: readonly WebhookConfig[]): Notifications {
  return createNotifications({ webhooks, database, log: () => {}, source: () => 'http://registry.test' });
}

test('events arrive in order per repository, through a receiver that fails now and then', async () => {
  await using target = await receiver((_, n) => (n % 3 === 0 ? 500 : 200));
  using database = openDatabase(':memory:');
  await using hooks = notifications(database, [hook(target.url, { maxAttempts: 50 })]);
  hooks.start();
  for (let i = 0; i < 10; i++)
    for (const repository of ['a', 'b']) hooks.listener(event(repository, `${repository}${i}`));
  const delivered = (repository: string): string[] => [
    ...new Set(target.all.filter(({ tag }) => tag.startsWith(repository)).map(({ tag }) => tag)),
  ];
  await target.until(() => delivered('a').length === 10 && delivered('b').length === 10);
  assert.deepEqual(
    delivered('a'),
    Array.from({ length: 10 }, (_, i) => `a${i}`),
  );
  assert.deepEqual(
    delivered('b'),
    Array.from({ length: 10 }, (_, i) => `b${i}`),
  );
});

test('what was not delivered before a restart is delivered after it', async () => {
  await using target = await receiver(() => 200);
  using database = openDatabase(':memory:');
  {
    await using down = notifications(database, [hook(target.url)]);
    down.listener(event('a', 'one'));
  }
  await using up = notifications(database, [hook(target.url)]);
  up.start();
  await target.until(() => target.all.length === 1);
  assert.equal(target.all[0]?.tag, 'one');
});

test('a receiver can tell that the body is ours', async () => {
  await using target = await receiver(() => 204);
  using database = openDatabase(':memory:');
  await using hooks = notifications(database, [
    hook(target.url, { secret: 's', format: 'cloudevents', headers: { Authorization: 'Bearer x' } }),
  ]);
  hooks.start();
  hooks.listener(event('a', 'one'));
  await target.until(() => target.all.length === 1);
  const [got] = target.all;
  assert.equal(got?.headers['x-gantry-signature'], signatureOf('s', got?.body ?? ''));
  assert.equal(got?.headers.authorization, 'Bearer x');
  const body = JSON.parse(got?.body ?? '{}') as Record<string, unknown>;
  assert.deepEqual(
    [body.specversion, body.type, body.source],
    ['1.0', 'dev.gantry.registry.push', 'http://registry.test'],
  );
});

test('a webhook hears only of its actions and repositories', async () => {
  await using target = await receiver(() => 200);
  using database = openDatabase(':memory:');
  await using hooks = notifications(database, [hook(target.url, { actions: ['delete'], repositories: ['team/*'] })]);
  hooks.start();
  hooks.listener(event('team/a', 'no'));
  hooks.listener(event('other', 'no', 'delete'));
  hooks.listener(event('team/a', 'yes', 'delete'));
  await target.until(() => target.all.length === 1);
  assert.equal(target.all[0]?.tag, 'yes');
});

test('what nobody takes becomes a dead letter, holds up nothing behind it, and can be sent again', async () => {
  let isUp = false;
  await using target = await receiver(({ tag }) => (tag === 'bad' && !isUp ? 500 : 200));
  using database = openDatabase(':memory:');
  await using hooks = notifications(database, [hook(target.url, { maxAttempts: 2 })]);
  hooks.start();
  hooks.listener(event('a', 'bad'));
  hooks.listener(event('a', 'good'));
  await target.until(() => target.all.some(({ tag }) => tag === 'good'));
  const call = async (
    method: string,
    path: string,
    parameters: Record<string, string>,
  ): Promise<{ dead: { id: number }[] }> => {
    const route = hooks.routes.find((row) => row.method === method && row.path === path);
    const answers: unknown[] = [];
    const exchange = {
      parameters,
      query: new URLSearchParams(),
      json: (_: number, body: unknown) => answers.push(body),
      send: () => {},
    };
    await route?.handle(exchange as never);
    return answers[0] as { dead: { id: number }[] };
  };
  const { dead } = await call('GET', '/v2/_gantry/webhooks/{webhook}/dead', { webhook: 'ci' });
  assert.equal(dead.length, 1);
  isUp = true;
  const before = target.all.length;
  await call('POST', '/v2/_gantry/webhooks/{webhook}/dead/{id}/retry', { webhook: 'ci', id: String(dead[0]?.id) });
  await target.until(() => target.all.length > before);
  assert.equal(target.all.at(-1)?.tag, 'bad');
});
