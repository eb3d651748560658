import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlayOptions } from './overlay.ts';

const writable = { upper: '/c/up', work: '/c/work' };

test('a folder whose name holds what separates options is mounted as itself, and as no other', () => {
  const cases = [
    ['a plain image', ['1', '2'], undefined, 'lowerdir=1:2,index=off'],
    ['a container', ['1'], writable, 'lowerdir=1,upperdir=/c/up,workdir=/c/work,index=off'],
    ['a colon in a layer', ['a:b', '2'], undefined, 'lowerdir=a\\:b:2,index=off'],
    ['an option in a layer', ['x,upperdir=/etc'], undefined, 'lowerdir=x\\,upperdir=/etc,index=off'],
    ['a backslash at the end of a layer', ['a\\', 'b'], undefined, 'lowerdir=a\\\\:b,index=off'],
    [
      'a colon is no separator above, a comma is',
      ['1'],
      { upper: '/d:1,2/up', work: '/d:1,2/work' },
      'lowerdir=1,upperdir=/d:1\\,2/up,workdir=/d:1\\,2/work,index=off',
    ],
  ] as const;
  for (const [what, lower, upper, wanted] of cases) {
    assert.equal(overlayOptions({ lower, writable: upper }), wanted, what);
  }
});

test('an image with as many layers as the kernel takes starts; one more is refused before the kernel cuts the list', () => {
  const long = (bytes: number) => ['x'.repeat(bytes - 'lowerdir=,index=off'.length)];
  assert.equal(overlayOptions({ lower: long(4095) }).length, 4095);
  assert.throws(() => overlayOptions({ lower: long(4096) }), { kind: 'exhausted', code: 'TOO_MANY_LAYERS' });
});

test('the limit counts bytes, not characters', () => {
  assert.throws(() => overlayOptions({ lower: ['ä'.repeat(2040)] }), { code: 'TOO_MANY_LAYERS' });
});
