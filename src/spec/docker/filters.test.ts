import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boolFilter, matchesLabels, matchesPattern, parseFilters, requireFilterKeys } from './filters.ts';

describe('filters', () => {
  it('read both JSON forms alike', () => {
    const expected = new Map([['name', ['a', 'b']]]);
    assert.deepEqual(parseFilters('{"name":["a","b"]}'), expected);
    assert.deepEqual(parseFilters('{"name":{"a":true,"b":false}}'), expected);
    assert.equal(parseFilters('').size, 0);
    assert.equal(parseFilters('null').size, 0);
  });

  it('refuse unknown keys by name', () => {
    assert.throws(() => requireFilterKeys(parseFilters('{"x":["y"]}'), ['name']), { message: "invalid filter 'x'" });
  });

  it('match labels by key or by key and value, all of them', () => {
    const labels = { a: '1', b: '' };
    assert.ok(matchesLabels(labels, ['a', 'a=1', 'b=']));
    assert.ok(!matchesLabels(labels, ['a', 'c']));
    assert.ok(!matchesLabels(labels, ['toString']));
  });

  it('match patterns, and broken patterns as plain text', () => {
    assert.ok(matchesPattern('/web1', ['^/web\\d$']));
    assert.ok(matchesPattern('a(b', ['(']));
    assert.ok(!matchesPattern('a', ['b', '(']));
  });

  it('read truth in four words only', () => {
    assert.equal(boolFilter(parseFilters('{"d":["1"]}'), 'd', false), true);
    assert.equal(boolFilter(parseFilters('{}'), 'd', true), true);
    assert.throws(() => boolFilter(parseFilters('{"d":["y"]}'), 'd', true), { message: "invalid filter 'd=[y]'" });
  });
});
