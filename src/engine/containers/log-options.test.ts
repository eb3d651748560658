import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDefaultLogOptions, checkLogConfig, logAttributes, parseJsonFileOptions } from './log-options.ts';

const START = 'failed to create task for container: failed to initialize logging driver: ';
const messageOf = (act: () => unknown): string => {
  try {
    act();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test('sizes are read as Docker reads them: units of a thousand, whatever they are called', () => {
  for (const [text, bytes] of [
    ['1', 1],
    ['10k', 10_000],
    ['10KB', 10_000],
    ['10KiB', 10_000],
    ['1.5m', 1_500_000],
    ['1 g', 1_000_000_000],
    ['5b', 5],
  ] as const) {
    assert.equal(parseJsonFileOptions({ 'max-size': text }).maxSizeBytes, bytes, text);
  }
});

test('a size or count that cannot be read is refused, never taken for none: a log without limit fills the disk', () => {
  for (const [options, why] of [
    [{ 'max-size': '' }, "invalid size: ''"],
    [{ 'max-size': '-1' }, "invalid size: '-1'"],
    [{ 'max-size': '0' }, 'max-size must be a positive number'],
    [{ 'max-size': '9999999p' }, 'max-size must be a positive number'],
    [{ 'max-size': '1x' }, "invalid suffix: 'x'"],
    [{ 'max-size': '1ib' }, "invalid suffix: 'ib'"],
    [{ 'max-file': '0' }, 'max-file cannot be less than 1'],
    [{ 'max-file': '-5' }, 'max-file cannot be less than 1'],
    [{ 'max-file': '' }, 'strconv.Atoi: parsing "": invalid syntax'],
    [{ 'max-file': '99999999999999999999' }, 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
    [{ compress: 'yes' }, 'strconv.ParseBool: parsing "yes": invalid syntax'],
    [
      { compress: 'true', 'max-file': '1' },
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    ],
    [{ 'labels-regex': '(' }, /^error parsing regexp: /],
  ] as const) {
    const message = messageOf(() => checkLogConfig('json-file', options as Record<string, string>));
    const said = message.startsWith(START) ? message.slice(START.length) : message;
    if (typeof why === 'string') assert.equal(said, why);
    else assert.match(said, why);
  }
});

test('modes and options of other drivers are refused or said, not dropped', () => {
  const check = (options: Record<string, string>) => checkLogConfig('json-file', options);
  assert.deepEqual(check({ mode: 'blocking' }), []);
  assert.match(check({ mode: 'non-blocking', 'max-buffer-size': '4m' })[0] ?? '', /not supported by this engine yet/);
  for (const [options, message] of [
    [{ mode: 'odd' }, 'logger: logging mode not supported: odd'],
    [{ 'max-buffer-size': '1m' }, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
    [{ mode: 'non-blocking', 'max-buffer-size': 'x' }, "error parsing option max-buffer-size: invalid size: 'x'"],
    [{ 'syslog-address': 'x' }, "unknown log opt 'syslog-address' for json-file log driver"],
    [{ 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
  ] as const) {
    assert.equal(
      messageOf(() => check(options as unknown as Record<string, string>)),
      message,
    );
  }
  assert.deepEqual(checkLogConfig('none', { anything: 'x' }), []);
});

test('wrong log options of the daemon itself stop it, unless their driver is one that it does not have', () => {
  checkDefaultLogOptions('json-file', { 'max-size': '1m' });
  checkDefaultLogOptions('syslog', { 'syslog-address': 'x' });
  assert.equal(
    messageOf(() => checkDefaultLogOptions('json-file', { nope: '1' })),
    "failed to set log opts: unknown log opt 'nope' for json-file log driver",
  );
});

test('a variable is chosen with all of its value, and an unset one is not made up', () => {
  const facts = { id: 'ab', name: 'web', imageId: '', imageName: 'x', command: [] };
  const container = { ...facts, config: { Env: ['A=b=c', 'EMPTY=', 'BARE'], Labels: { one: '1', two: '2' } } };
  assert.deepEqual(logAttributes({ env: 'A,EMPTY,MISSING' }, container), { A: 'b=c', EMPTY: '' });
  assert.deepEqual(logAttributes({ 'labels-regex': '^t' }, container), { two: '2' });
  assert.deepEqual(logAttributes({ labels: 'one', env: 'A' }, container), { one: '1', A: 'b=c' });
});
