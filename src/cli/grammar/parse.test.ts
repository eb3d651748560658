// Pins how flags are split and read to docker 28.2.2 (pflag).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from './parse.ts';
import type { FlagSpec } from './types.ts';

const SPECS: readonly FlagSpec[] = [
  { name: 'interactive', short: 'i', type: 'bool', about: '' },
  { name: 'tty', short: 't', type: 'bool', about: '' },
  { name: 'proxy', type: 'bool', initial: true, about: '' },
  { name: 'publish', short: 'p', type: 'list', about: '' },
  { name: 'name', type: 'string', about: '' },
  { name: 'memory', short: 'm', type: 'bytes', about: '' },
  { name: 'timeout', type: 'int', initial: -1, about: '' },
];

function parse(line: string, interspersed = true) {
  return parseLine(line === '' ? [] : line.split(' '), { specs: SPECS, interspersed });
}

test('single letters run together, the last one taking a value in any form', () => {
  for (const line of ['-itp 80', '-itp80', '-itp=80', '-i -t -p 80', '--interactive --tty --publish=80']) {
    const { flags, args } = parse(line);
    assert.deepEqual(
      [flags.bool('interactive'), flags.bool('tty'), flags.list('publish'), args],
      [true, true, ['80'], []],
    );
  }
});

test('a bundle may end in an explicit boolean', () => {
  const { flags } = parse('-ti=false --proxy=0');
  assert.deepEqual([flags.bool('tty'), flags.bool('interactive'), flags.bool('proxy')], [true, false, false]);
});

test('flags end at the first argument where docker says so, and at -- everywhere', () => {
  assert.deepEqual(parse('-t image -i --name x', false).args, ['image', '-i', '--name', 'x']);
  assert.deepEqual(parse('image -i --name x').args, ['image']);
  assert.deepEqual(parse('-t -- -i', false).args, ['-i']);
  assert.deepEqual(parse('a -- -i b').args, ['a', '-i', 'b']);
  assert.deepEqual(parse('image -- x', false).args, ['image', '--', 'x']);
});

test('a value may look like a flag; absent flags have their first value', () => {
  const { flags } = parse('--name --tty');
  assert.equal(flags.text('name'), '--tty');
  assert.equal(flags.bool('tty'), false);
  assert.equal(flags.number('timeout'), -1);
  assert.equal(flags.changed('timeout'), false);
});

test('help is seen wherever flags are', () => {
  assert.equal(parse('-i --help').help, 'long');
  assert.equal(parse('-h').help, 'short');
  assert.equal(parse('image --help', false).help, 'no');
  assert.equal(parse('--help=false').help, 'no');
});

const FAILURES: readonly (readonly [line: string, message: string])[] = [
  ['--foo', 'unknown flag: --foo'],
  ['--foo=1', 'unknown flag: --foo'],
  ['-itx', "unknown shorthand flag: 'x' in -x"],
  ['--name', 'flag needs an argument: --name'],
  ['-p', "flag needs an argument: 'p' in -p"],
  ['---x', 'bad flag syntax: ---x'],
  ['-m abc', `invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'`],
  ['--timeout x', 'invalid argument "x" for "--timeout" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ['--tty=maybe', 'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
];

for (const [line, message] of FAILURES) test(`${line} is refused`, () => assert.throws(() => parse(line), { message }));
