import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEvents } from './index.ts';
import type { EventQuery } from './types.ts';

const query = (filters: Record<string, string[]> = {}, rest: Partial<EventQuery> = {}): EventQuery => ({
  filters: new Map(Object.entries(filters)),
  ...rest,
});
const die = {
  type: 'container',
  action: 'die',
  actorId: 'abc',
  attributes: { name: 'web', exitCode: '1', tier: 'x' },
} as const;

test('a subscriber gets what was published between its call and its first read', async () => {
  const events = createEvents();
  const stop = new AbortController();
  const stream = events.subscribe(query(), stop.signal);
  events.publish(die);
  for await (const event of stream) {
    assert.equal(event.action, 'die');
    stop.abort();
  }
});

test('a window in the past is replayed and ends by itself', async () => {
  let now = 100n;
  const events = createEvents(() => now);
  events.publish(die);
  now = 200n;
  events.publish({ ...die, action: 'destroy' });
  now = 300n;
  const seen: string[] = [];
  for await (const event of events.subscribe(query({}, { since: 150n, until: 250n }), new AbortController().signal)) {
    seen.push(event.action);
  }
  assert.deepEqual(seen, ['destroy']);
});

test('filters: values are alternatives, keys must all hold, labels must all hold', async () => {
  const events = createEvents(() => 5n);
  events.publish(die);
  const count = async (filters: Record<string, string[]>): Promise<number> => {
    let n = 0;
    for await (const _ of events.subscribe(query(filters, { since: 0n, until: 5n }), new AbortController().signal)) n++;
    return n;
  };
  assert.equal(await count({ event: ['start', 'die'] }), 1);
  assert.equal(await count({ event: ['start'] }), 0);
  assert.equal(await count({ container: ['web'], type: ['container'] }), 1);
  assert.equal(await count({ container: ['other'] }), 0);
  assert.equal(await count({ label: ['tier=x', 'name'] }), 1);
  assert.equal(await count({ label: ['tier=y'] }), 0);
  assert.equal(await count({ bogus: ['1'] }), 1);
});
