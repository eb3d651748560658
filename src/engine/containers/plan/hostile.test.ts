// Words of a request that mean something to JavaScript mean nothing to the engine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../context.ts';
import { filterRecords } from '../filter.ts';
import { logAttributes } from '../log-options.ts';
import { checkPsArgs } from '../read.ts';
import type { ContainerRecord } from '../types.ts';
import { type CreateFacts, planCreate } from './create.ts';

const FACTS = {
  cpus: 2,
  support: { limits: new Set(), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
  cgroupVersion: 1,
  defaultRuntime: 'crun',
  runtimes: ['crun'],
  logDriver: 'json-file',
  logOptions: {},
  id: 'ab'.repeat(32),
  created: '2024-01-01T00:00:00Z',
  hostName: 'host',
  peers: {},
  inherited: [],
  image: { id: '', platform: { os: 'linux', architecture: 'amd64' }, config: { Cmd: ['true'] } },
} as unknown as CreateFacts;

test('a network called __proto__ is asked for by that name, and is no network', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const { record } = planCreate({ Image: 'x', HostConfig: { NetworkMode: name } }, FACTS);
    assert.deepEqual(Object.keys(record.networks), [name]);
    assert.deepEqual(Object.getOwnPropertyDescriptor(record.networks, name)?.value, { aliases: [] });
  }
});

test('log options take no words that the container did not set', () => {
  const facts = { id: 'ab'.repeat(32), name: 'c', imageId: '', imageName: 'x', command: [] };
  const container = { ...facts, config: { Labels: { a: '1' } } };
  assert.deepEqual(logAttributes({ labels: 'constructor,toString,a' }, container), { a: '1' });
  assert.throws(
    () =>
      logAttributes(
        { 'labels-regex': '^(.+)+(.+)+(.+)+$^' },
        {
          ...container,
          config: { Labels: { ['a'.repeat(64)]: '1' } },
        },
      ),
    /too long/,
  );
});

test('a name filter that would run for ages is refused at once, however many containers there are', () => {
  const records = Array.from({ length: 200 }, (_, i) => ({ name: `${'a'.repeat(60)}${i}` }) as ContainerRecord);
  const context = {} as Context;
  const began = performance.now();
  const filter = (name: string) => filterRecords(context, records, new Map([['name', [name]]]));
  assert.throws(() => filter('^(.+)+(.+)+(.+)+$^'), /too long/);
  assert.ok(performance.now() - began < 1000);
  assert.equal(filter('^/a+7$').length, 1);
  assert.equal(filter('(').length, 0);
});

test('no other column of ps passes for the pid', () => {
  for (const arg of ['comm=PID', '-oppid=PID', 'pid,ppid=PID', 'args,pid=X', 'uid=PIDX'])
    assert.throws(() => checkPsArgs(['-e', '-o', arg]), /is not allowed/, arg);
  checkPsArgs(['-eo', 'pid,ppid,args', '-o', 'comm=WHAT']);
});

test('prune by age takes what Docker takes: a duration, a date or seconds, and refuses the rest', () => {
  const records = [{ created: '2020-01-01T00:00:00Z' }, { created: '2999-01-01T00:00:00Z' }] as ContainerRecord[];
  const old = (until: string) => filterRecords({} as Context, records, new Map([['until', [until]]])).length;
  assert.deepEqual(['10m', '2021-01-01', '1600000000', '2021-01-01T00:00:00Z'].map(old), [1, 1, 1, 1]);
  assert.throws(() => old('when?'), /invalid filter 'until=when\?'/);
});
