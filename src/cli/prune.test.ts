// Owns the checks of the filters that config.json adds to every prune.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruned, pruneFilters } from './prune.ts';
import type { Session } from './session.ts';

const sessionWith = (pruneFiltersOfConfig: unknown): Session =>
  ({ config: () => ({ data: { pruneFilters: pruneFiltersOfConfig } }) }) as unknown as Session;

test('the pruneFilters of config.json apply, except where the command line says the opposite', () => {
  const session = sessionWith(['label!=keep', 'label=old', 'until=1h', 'nonsense', 'label=']);
  assert.deepEqual(pruneFilters(session, ['label=keep', 'label=x']), {
    label: ['keep', 'x', 'old'],
    until: ['1h'],
  });
});

test('a config.json without pruneFilters, or with something else there, adds nothing', () => {
  assert.deepEqual(pruneFilters(sessionWith(undefined), []), {});
  assert.deepEqual(pruneFilters(sessionWith('until=1h'), ['label=a']), { label: ['a'] });
});

test('nothing removed is no heading', () => {
  assert.deepEqual(pruned('Deleted Volumes', []), { text: '', bytes: 0 });
  assert.deepEqual(pruned('Deleted Volumes', ['a', 'b'], 7), { text: 'Deleted Volumes:\na\nb\n', bytes: 7 });
});
