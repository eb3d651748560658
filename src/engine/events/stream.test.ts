import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventMatches } from './filter.ts';
import { createEvents } from './index.ts';
import type { EngineEvent } from './types.ts';

const EVENT: EngineEvent = {
  type: 'container',
  action: 'start',
  actorId: 'abcdef',
  attributes: { name: 'web', image: 'registry:5000/nginx:1.25', tier: 'a=b' },
  timeNano: 5n,
};
const ALL = new Map<string, readonly string[]>();

test('each filter passes what Docker passes', () => {
  for (const [key, values, passes] of [
    ['event', ['start'], true],
    ['event', ['star'], false],
    ['container', ['abc'], true],
    ['container', ['/web'], true],
    ['container', ['eb'], false],
    ['network', ['abc'], false],
    ['image', ['registry:5000/nginx:1.25'], true],
    ['image', ['registry:5000/nginx'], true],
    ['image', ['nginx'], false],
    ['type', ['image', 'container'], true],
    ['label', ['tier=a=b'], true],
    ['label', ['tier=a'], false],
    ['label', ['constructor'], false],
    ['scope', ['local'], true],
    ['scope', ['swarm'], false],
    ['event', [], true],
  ] as const) {
    assert.equal(eventMatches(EVENT, new Map([[key, values]])), passes, `${key}=${values}`);
  }
  const exec = { ...EVENT, action: 'exec_start: sh -c x' };
  assert.equal(eventMatches(exec, new Map([['event', ['exec_start']]])), true);
  const image = { ...EVENT, type: 'image', actorId: 'sha256:1', attributes: { name: 'nginx:1' } } as const;
  for (const value of ['sha256:1', 'nginx', 'nginx:1']) {
    assert.equal(eventMatches(image, new Map([['image', [value]]])), true, value);
  }
});

test('the last 256 events can be asked for, and no more', async () => {
  let now = 0n;
  const events = createEvents(() => ++now);
  for (let at = 0; at < 300; at++) events.publish({ ...EVENT, action: `a${at}` });
  const seen: string[] = [];
  const past = events.subscribe({ filters: ALL, since: 0n, until: 300n }, new AbortController().signal);
  for await (const { action } of past) seen.push(action);
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [256, 'a44', 'a299']);
});

test('without a start or an end only what is new is told', async () => {
  const events = createEvents();
  events.publish({ ...EVENT, action: 'old' });
  const client = new AbortController();
  const live = events.subscribe({ filters: ALL }, client.signal)[Symbol.asyncIterator]();
  events.publish({ ...EVENT, action: 'new' });
  assert.equal((await live.next()).value?.action, 'new');
  const waiting = live.next();
  client.abort();
  assert.equal((await waiting).done, true, 'one that waits is let go');
});

test('an end in the future ends the stream at its time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const events = createEvents(() => 1_000_000_000n);
  const stream = events.subscribe({ filters: ALL, until: 3_000_000_000n }, new AbortController().signal);
  const next = stream[Symbol.asyncIterator]().next();
  let over = false;
  void next.then(() => {
    over = true;
  });
  t.mock.timers.tick(1999);
  await new Promise(setImmediate);
  assert.equal(over, false);
  t.mock.timers.tick(1);
  assert.equal((await next).done, true);
});

test('a reader that does not read is cut off, and holds nobody else back', async () => {
  const events = createEvents();
  const slow = events.subscribe({ filters: ALL }, new AbortController().signal);
  for (let at = 0; at < 10_000; at++) events.publish(EVENT);
  let seen = 0;
  for await (const _ of slow) seen++;
  assert.equal(seen, 8192, 'what was kept, and then the end');
});

test('what a reader does not want wakes it, and is not told', async () => {
  const events = createEvents();
  const filters = new Map([['event', ['die']]]);
  const client = new AbortController();
  const next = events.subscribe({ filters }, client.signal)[Symbol.asyncIterator]().next();
  await new Promise(setImmediate);
  events.publish(EVENT);
  await new Promise(setImmediate);
  events.publish({ ...EVENT, action: 'die' });
  assert.equal((await next).value?.action, 'die');
  client.abort();
});
