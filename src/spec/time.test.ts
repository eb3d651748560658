import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatRfc3339,
  humanDuration,
  isZeroTime,
  parseGoDuration,
  parseMoment,
  parseRfc3339,
  parseUnixTimestamp,
  unixSeconds,
} from './time.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;

describe('time texts', () => {
  it('keep nanoseconds both ways and drop trailing zeros as Go does', () => {
    for (const text of ['2026-11-24T02:40:20.506391801Z', '2026-11-24T02:40:20.5Z', '2026-11-24T02:40:20Z']) {
      assert.equal(formatRfc3339(parseRfc3339(text) ?? 0n), text);
    }
    assert.equal(parseRfc3339('2026-11-24T03:40:20+01:00'), parseRfc3339('2026-11-24T02:40:20Z'));
    assert.equal(parseRfc3339('yesterday'), undefined);
  });

  it('know "never"', () => {
    assert.ok(isZeroTime('0001-01-01T00:00:00Z') && isZeroTime('') && isZeroTime(undefined));
    assert.equal(unixSeconds('0001-01-01T00:00:00Z'), -62_135_596_800);
  });

  it('read Unix timestamps with fractions, and refuse others in Go’s words', () => {
    assert.equal(parseUnixTimestamp('1.5'), 1_500_000_000n);
    assert.equal(parseUnixTimestamp('2.000000001'), 2_000_000_001n);
    assert.equal(parseUnixTimestamp(''), undefined);
    assert.throws(() => parseUnixTimestamp('x'), {
      kind: 'system',
      message: 'strconv.ParseInt: parsing "x": invalid syntax',
    });
  });

  it('read Go durations and moments relative to now', () => {
    assert.equal(parseGoDuration('1h10m'), 4_200_000_000_000n);
    assert.equal(parseGoDuration('-1.5s'), -1_500_000_000n);
    assert.equal(parseGoDuration('1x'), undefined);
    const now = 10_000_000_000_000n;
    assert.equal(parseMoment('1h', now), now - 3_600_000_000_000n);
    assert.equal(parseMoment('5', now), 5_000_000_000n);
    assert.equal(parseMoment('y', now), undefined);
  });

  it('word durations as docker ps does', () => {
    const cases: readonly [number, string][] = [
      [0, 'Less than a second'],
      [1 * SECOND, '1 second'],
      [59 * SECOND, '59 seconds'],
      [60 * SECOND, 'About a minute'],
      [59 * 60 * SECOND, '59 minutes'],
      [60 * 60 * SECOND, 'About an hour'],
      [1.5 * HOUR, '2 hours'],
      [47 * HOUR, '47 hours'],
      [48 * HOUR, '2 days'],
      [14 * 24 * HOUR, '2 weeks'],
      [60 * 24 * HOUR, '2 months'],
      [2 * 365 * 24 * HOUR, '2 years'],
    ];
    for (const [millis, words] of cases) assert.equal(humanDuration(millis), words);
  });
});
