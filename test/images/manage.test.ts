// Names, removal, pruning and leases follow Docker's rules and words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../src/lib/errors.ts';
import type { Digest } from '../../src/spec/digest.ts';
import { archiveOf, imageOf, layerOf, NEVER, openWorkbench, streamOf, tarOf, type Workbench } from './support.ts';

const BASE = layerOf(tarOf({ name: 'base', data: 'base' }));
const ONE = imageOf([BASE, layerOf(tarOf({ name: 'one', data: '1' }))]);
const TWO = imageOf([BASE, layerOf(tarOf({ name: 'two', data: '22' }))], { config: { Labels: { keep: 'yes' } } });
const KEEP = { force: false, prune: true };
const FORCE = { force: true, prune: true };

type Users = Map<Digest, { containerId: string; running: boolean }[]>;

async function loaded(users: Users = new Map()): Promise<Workbench> {
  const bench = openWorkbench({ users: { usersOf: (id) => users.get(id) ?? [] } });
  const archive = archiveOf([
    { image: ONE, tags: ['one:1'] },
    { image: TWO, tags: ['two:1'] },
  ]);
  await bench.images.load(streamOf(archive), bench.report, NEVER);
  bench.events.length = 0;
  return bench;
}

const layerCount = (bench: Workbench): number => bench.leftovers().filter((name) => /layers\/\d+$/.test(name)).length;

function says(kind: string, message: string | RegExp) {
  return (error: unknown): boolean => {
    assert.ok(isGantryError(error), String(error));
    assert.equal(error.kind, kind);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };
}

test('an image is found by name, id, prefix and digest, and missed in words', async () => {
  await using bench = await loaded();
  const hex = ONE.id.slice(7);
  for (const ref of ['one:1', 'docker.io/library/one:1', ONE.id, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 12)}`]) {
    assert.equal(bench.images.get(ref).id, ONE.id, ref);
  }
  const misses: readonly (readonly [string, string])[] = [
    ['zzz', 'No such image: zzz:latest'],
    ['one', 'No such image: one:latest'],
    ['a/b:c', 'No such image: a/b:c'],
    ['sha256:zz', 'No such image: sha256:zz'],
    ['0'.repeat(64), `No such image: sha256:${'0'.repeat(64)}`],
    [`one@sha256:${'0'.repeat(64)}`, `No such image: one@sha256:${'0'.repeat(64)}`],
  ];
  for (const [ref, message] of misses) assert.throws(() => bench.images.get(ref), says('notFound', message));
  assert.throws(() => bench.images.get('Bad'), says('invalid', /must be lowercase/));
});

test('tagging adds names and refuses bad ones', async () => {
  await using bench = await loaded();
  await bench.images.tag('one:1', 'other/one');
  assert.deepEqual(bench.images.get(ONE.id).repoTags, ['one:1', 'other/one:latest']);
  assert.notEqual(bench.images.get(ONE.id).lastTagTime, '0001-01-01T00:00:00Z');
  assert.deepEqual(bench.events.at(-1), {
    type: 'image',
    action: 'tag',
    actorId: ONE.id,
    attributes: { l: '1', name: 'other/one:latest' },
  });
  await assert.rejects(
    bench.images.tag('one:1', 'Bad:1'),
    says('invalid', 'invalid reference format: repository name (library/Bad) must be lowercase'),
  );
  await assert.rejects(bench.images.tag('one:1', 'x:@'), says('invalid', 'invalid tag format'));
  await assert.rejects(bench.images.tag('one:1', `x@${ONE.id}`), says('invalid', 'cannot import digest reference'));
  await assert.rejects(bench.images.tag('nope', 'x'), says('notFound', 'No such image: nope:latest'));
});

test('removing the last name deletes the image and gives its own layers back at once', async () => {
  await using bench = await loaded();
  await bench.images.tag('one:1', 'one:2');
  assert.deepEqual(await bench.images.remove('one:1', KEEP), [{ untagged: 'one:1' }]);
  assert.equal(layerCount(bench), 3);
  const parts = await bench.images.remove('one:2', KEEP);
  assert.deepEqual(parts.slice(0, 2), [{ untagged: 'one:2' }, { deleted: ONE.id }]);
  assert.equal(parts.length, 3, 'the shared base is not reported');
  assert.equal(layerCount(bench), 2);
  assert.deepEqual(
    bench.events.map(({ action }) => action),
    ['tag', 'untag', 'untag', 'delete'],
  );
  assert.equal((await bench.images.remove('two:1', KEEP)).length, 4);
  assert.deepEqual(bench.leftovers(), []);
});

test('an id with several names must be forced', async () => {
  await using bench = await loaded();
  await bench.images.tag('one:1', 'one:2');
  const short = ONE.id.slice(7, 19);
  await assert.rejects(
    bench.images.remove(short, KEEP),
    says(
      'conflict',
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    ),
  );
  const parts = await bench.images.remove(short, FORCE);
  assert.deepEqual(parts.slice(0, 3), [{ untagged: 'one:1' }, { untagged: 'one:2' }, { deleted: ONE.id }]);
});

test('an image that containers use is kept, in Docker’s words', async () => {
  const users: Users = new Map([[ONE.id, [{ containerId: 'c0ffee'.repeat(11), running: true }]]]);
  await using bench = await loaded(users);
  const short = ONE.id.slice(7, 19);
  await assert.rejects(
    bench.images.remove('one:1', KEEP),
    says(
      'conflict',
      `conflict: unable to remove repository reference "one:1" (must force) - container c0ffeec0ffee is using its referenced image ${short}`,
    ),
  );
  for (const options of [KEEP, FORCE]) {
    await assert.rejects(
      bench.images.remove(ONE.id, options),
      says(
        'conflict',
        `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container c0ffeec0ffee`,
      ),
    );
  }
  users.set(ONE.id, [{ containerId: 'c0ffee'.repeat(11), running: false }]);
  await assert.rejects(
    bench.images.remove(ONE.id, KEEP),
    says(
      'conflict',
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container c0ffeec0ffee`,
    ),
  );
  assert.deepEqual(await bench.images.remove(ONE.id, FORCE), [{ untagged: 'one:1' }, { deleted: ONE.id }]);
  assert.throws(() => bench.images.get(ONE.id), /No such image/);
  const images = await bench.restart();
  await images.sweep();
  {
    await using lease = await images.lease(ONE.id);
    assert.equal(lease.lowerDirs.length, 2, 'the stopped container can still start');
  }
  users.delete(ONE.id);
  await images.sweep();
  assert.equal(layerCount(bench), 2);
  await assert.rejects(images.lease(ONE.id), /No such image/);
});

test('a lease outlives the image’s removal', async () => {
  await using bench = await loaded();
  const lease = await bench.images.lease(ONE.id);
  await bench.images.remove('one:1', KEEP);
  assert.equal(layerCount(bench), 3);
  await lease[Symbol.asyncDispose]();
  assert.equal(layerCount(bench), 2);
});

test('pruning takes dangling images, or all unused ones, by label and age', async () => {
  const users: Users = new Map();
  await using bench = await loaded(users);
  const none = { dangling: true, labels: [], notLabels: [] };
  assert.deepEqual(await bench.images.prune(none), { removed: [], reclaimedBytes: 0 });
  assert.deepEqual(bench.events.at(-1)?.attributes, { reclaimed: '0' });
  const unused = { ...none, dangling: false };
  assert.deepEqual((await bench.images.prune({ ...unused, until: 1 })).removed, []);
  assert.deepEqual((await bench.images.prune({ ...unused, labels: ['keep=no'] })).removed, []);
  users.set(ONE.id, [{ containerId: 'c', running: false }]);
  const pruned = await bench.images.prune({ ...unused, notLabels: ['l'] });
  assert.deepEqual(pruned.removed.slice(0, 2), [{ untagged: 'two:1' }, { deleted: TWO.id }]);
  assert.equal(pruned.reclaimedBytes, 2);
  assert.deepEqual(
    bench.images.list().map(({ id }) => id),
    [ONE.id],
  );
});
