// Owns the promise that records of older programs are read, and those of newer ones and of nobody are refused by name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { storedJson } from './stored-json.ts';

const FIRST = storedJson('thing', v.object({ name: v.string() }));
const SECOND = storedJson('thing', v.object({ names: v.array(v.string()) }), [
  (old) => ({ names: [(old as { name: string }).name] }),
]);

test('what is written is read back, with its version', () => {
  const text = FIRST.write({ name: 'a' });
  assert.deepEqual(JSON.parse(text), { v: 1, value: { name: 'a' } });
  assert.deepEqual(FIRST.read(text, 'x'), { name: 'a' });
});

test('a record from before versions, and one of an older form, are brought up to date', () => {
  assert.deepEqual(FIRST.read('{"name":"a"}', 'x'), { name: 'a' });
  assert.deepEqual(SECOND.read('{"name":"a"}', 'x'), { names: ['a'] });
  assert.deepEqual(SECOND.read(FIRST.write({ name: 'a' }), 'x'), { names: ['a'] });
});

test('a record of a newer program is refused by name', () => {
  const text = SECOND.write({ names: ['a'] });
  assert.throws(() => FIRST.read(text, 'x'), { code: 'RECORDS_NEWER', message: /record of thing x is of version 2/ });
});

test('a record that is none says where it is wrong', () => {
  for (const text of ['{', '{"name":5}', '[]', 'null', '{"v":1,"value":{}}']) {
    assert.throws(() => FIRST.read(text, 'x'), {
      code: 'RECORD_UNREADABLE',
      message: /^the record of thing x cannot be/,
    });
  }
});
