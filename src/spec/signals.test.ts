import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSignal, signalName } from './signals.ts';

test('a user may write a signal in every way that Docker takes', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigterm', 15],
    ['15', 15],
    ['+10', 10],
    ['010', 10],
    ['CLD', 17],
    ['POLL', 29],
    ['RTMIN', 34],
    ['rtmin+3', 37],
    ['RTMIN+15', 49],
    ['RTMAX-14', 50],
    ['SIGRTMAX', 64],
    ['64', 64],
  ];
  for (const [text, number] of cases) assert.equal(parseSignal(text), number, text);
});

test('a wrong signal is named in the answer, with Docker’s words', () => {
  const wrong = ['', '0', 'SIGRTMAX-20', 'RTMIN+16', 'SIGSIGUSR1', 'EMT', ' USR1', 'UNUSED', 'constructor', 'RTMIN-1'];
  for (const text of wrong) {
    assert.throws(() => parseSignal(text), {
      kind: 'invalid',
      code: 'INVALID_SIGNAL',
      message: `invalid signal: ${text}`,
    });
  }
  assert.throws(() => parseSignal('65'), { message: 'the linux daemon does not support signal 65' });
  assert.throws(() => parseSignal('-1'), { message: 'the linux daemon does not support signal -1' });
});

test('a number has one name', () => {
  assert.equal(signalName(6), 'SIGABRT');
  assert.equal(signalName(37), 'SIGRTMIN+3');
  assert.equal(signalName(32), '32');
});
