// What a scanner found must be counted as it said, and what is no report must never pass for a clean one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countFindings, countsIn, countsText, worstOver } from './report.ts';

const NONE = { low: 0, medium: 0, high: 0, critical: 0, unknown: 0 };

test('reports of trivy and grype are counted by severity', () => {
  const trivy = countFindings(
    'trivy',
    '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"CRITICAL"},{"Severity":"UNKNOWN"}]},{}]}',
  );
  assert.deepEqual(trivy, { ...NONE, critical: 1, unknown: 1 });
  const grype = countFindings(
    'grype',
    '{"matches":[{"vulnerability":{"severity":"Negligible"}},{"vulnerability":{"severity":"Medium"}}]}',
  );
  assert.deepEqual(grype, { ...NONE, low: 1, medium: 1 });
  assert.deepEqual(countFindings('trivy', '{"SchemaVersion":2}'), NONE, 'trivy leaves out what it found nothing in');
});

test('a severity that nobody knows is counted as unknown and spoils nothing', () => {
  const counts = countFindings(
    'grype',
    '{"matches":[{"vulnerability":{"severity":"toString"}},{"vulnerability":{"severity":"__proto__"}},{},null]}',
  );
  assert.deepEqual(counts, { ...NONE, unknown: 4 });
});

test('what is no report of the format is refused, not taken for a clean one', () => {
  assert.throws(() => countFindings('grype', '{}'), /not of the format/);
  assert.throws(() => countFindings('trivy', '{"matches":[]}'), /not of the format/);
  assert.throws(() => countFindings('trivy', '[]'), /not of the format/);
  assert.throws(() => countFindings('trivy', ''), /no JSON/);
  assert.throws(() => countFindings('trivy', '{"SchemaVersion":2,"Resu'), /no JSON/);
});

test('counts survive the way through an annotation', () => {
  const counts = { low: 1, medium: 2, high: 3, critical: 4, unknown: 5 };
  assert.deepEqual(countsIn({ 'dev.gantry.scan.counts': countsText(counts) }), counts);
  assert.equal(countsIn({ 'dev.gantry.scan.counts': 'low=1' }), undefined);
  assert.equal(countsIn({}), undefined);
});

test('the worst finding at or over a limit is told', () => {
  const counts = { ...NONE, low: 1, high: 2 };
  assert.equal(worstOver(counts, 'low'), 'high');
  assert.equal(worstOver(counts, 'high'), 'high');
  assert.equal(worstOver(counts, 'critical'), undefined);
});
