import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinedContainer, joinMode } from './join-mode.ts';

test('only container:X joins another container', () => {
  const cases: [string | undefined, string | undefined][] = [
    ['container:web', 'web'],
    ['container:', ''],
    ['container:a:b', 'a:b'],
    ['host', undefined],
    ['', undefined],
    ['Container:web', undefined],
    [undefined, undefined],
  ];
  for (const [mode, ref] of cases) assert.equal(joinedContainer(mode), ref, String(mode));
  assert.equal(joinedContainer(joinMode('web')), 'web');
});
