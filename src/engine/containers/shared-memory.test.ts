import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Context } from './context.ts';
import { noSuchContainer } from './errors.ts';
import { makeSharedMemory, releaseSharedMemory, sharedMemoryOf } from './shared-memory.ts';
import type { ContainerRecord } from './types.ts';

const NOWHERE = join(tmpdir(), 'gantry-no-such-folder');

/** Containers by name, each with its IPC mode. */
function contextOf(modes: Readonly<Record<string, string>>) {
  const find = (id: string): ContainerRecord => {
    const IpcMode = modes[id];
    if (IpcMode === undefined) throw noSuchContainer(id);
    return { id, hostConfig: { IpcMode } } as ContainerRecord;
  };
  const context = {
    records: { find },
    paths: (id: string) => ({ shm: join(NOWHERE, id, 'shm') }),
  } as unknown as Context;
  return { context, placeOf: (id: string) => sharedMemoryOf(context, find(id)), find };
}

test('a container’s /dev/shm is its own unless it shares, or joins one that does', () => {
  const { placeOf } = contextOf({
    own: 'private',
    none: '',
    host: 'host',
    giver: 'shareable',
    joiner: 'container:giver',
    third: 'container:joiner',
    ofHost: 'container:host',
  });
  const shared = join(NOWHERE, 'giver', 'shm');
  for (const [name, place] of [
    ['own', undefined],
    ['none', undefined],
    ['host', undefined],
    ['giver', shared],
    ['joiner', shared],
    ['third', shared],
    ['ofHost', '/dev/shm'],
  ] as const) {
    assert.equal(placeOf(name), place, name);
  }
});

test('one that does not share is not joined, nor is oneself, nor one that is gone', () => {
  const { placeOf } = contextOf({
    own: 'private',
    joiner: 'container:own',
    self: 'container:self',
    lost: 'container:x',
  });
  for (const name of ['joiner', 'self']) assert.throws(() => placeOf(name), { code: 'IPC_NOT_SHAREABLE' }, name);
  assert.throws(() => placeOf('lost'), { code: 'NO_SUCH_CONTAINER' });
});

test('a container that shares nothing has nothing made or taken away on the host', async () => {
  const { context, find } = contextOf({ own: 'private', giver: 'shareable' });
  await makeSharedMemory(context, find('own'));
  releaseSharedMemory(context, find('own'));
  releaseSharedMemory(context, find('giver'));
  assert.ok(!existsSync(NOWHERE));
});
