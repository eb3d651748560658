// Checks `docker tag`: what a new name may be, and what is told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import { tagImage } from './tag.ts';
import { BENCH_TIME, imageNamed, openImageBench } from './testing/image-bench.ts';

const IMAGE = imageNamed('a');

test('an image gets another name, keeps the first, and the time of it is noted and told', async () => {
  await using bench = openImageBench();
  await bench.add(IMAGE, 'a:1');
  tagImage(bench.context, 'a:1', 'r.example:5000/team/b');
  const image = bench.context.find('r.example:5000/team/b:latest');
  assert.deepEqual(image.repoTags, ['a:1', 'r.example:5000/team/b:latest']);
  assert.equal(image.lastTagTime, BENCH_TIME);
  assert.deepEqual(bench.events(), [`tag ${IMAGE.id} r.example:5000/team/b:latest`]);
});

test('a name that another image has moves', async () => {
  await using bench = openImageBench();
  await bench.add(IMAGE, 'a:1');
  const other = imageNamed('b');
  await bench.add(other, 'b:1');
  tagImage(bench.context, 'b:1', 'a:1');
  assert.equal(bench.context.find('a:1').id, other.id);
  assert.deepEqual(bench.context.find(IMAGE.id).repoTags, []);
});

const BAD: readonly (readonly [string, RegExp])[] = [
  ['a:b c', /invalid tag format/],
  ['a:', /invalid tag format/],
  ['A', /must be lowercase/],
  [`a@sha256:${'0'.repeat(64)}`, /cannot import digest reference/],
  // The name is what is wrong first.
  ['A:b c', /must be lowercase/],
  ['0'.repeat(64), /./],
];

for (const [target, words] of BAD) {
  test(`an image is not tagged ${JSON.stringify(target)}, and nothing is told`, async () => {
    await using bench = openImageBench();
    await bench.add(IMAGE, 'a:1');
    const isBad = (error: unknown): boolean => isGantryError(error, 'invalid') && words.test(error.message);
    assert.throws(() => tagImage(bench.context, 'a:1', target), isBad);
    assert.deepEqual([bench.context.find('a:1').repoTags, bench.events()], [['a:1'], []]);
  });
}

test('a bad name is told before a source that is not there', async () => {
  await using bench = openImageBench();
  assert.throws(() => tagImage(bench.context, 'nothing', 'a:b c'), /invalid tag format/);
  assert.throws(() => tagImage(bench.context, 'nothing', 'b'), /No such image: nothing:latest/);
});
