import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLineError, commandLineParts } from './command-line.ts';

const FLAGS: Readonly<Record<string, string>> = { debug: 'bool', level: 'text', D: 'bool', l: 'text' };
const split = (line: string, interspersed = true): string[] => {
  const rules = {
    long: (name: string) => (name.length > 1 && name in FLAGS ? name : undefined),
    short: (letter: string) => (letter in FLAGS ? letter : undefined),
    takesValue: (flag: string) => FLAGS[flag] === 'text',
    interspersed,
  };
  return [...commandLineParts(line.split(' ').filter(Boolean), rules)].map((part) => {
    if (part.kind === 'flag') return `${part.flag}=${part.text}`;
    if (part.kind === 'short-help') return `-h ${part.rest.join(' ')}`;
    return part.kind === 'help' ? `help=${part.text}` : part.text;
  });
};

test('every way to write a flag', () => {
  const cases: [string, string[]][] = [
    ['--debug', ['debug=true']],
    ['--debug=false', ['debug=false']],
    ['--level info', ['level=info']],
    ['--level=', ['level=']],
    ['--level=a=b', ['level=a=b']],
    ['-D', ['D=true']],
    ['-D=false', ['D=false']],
    ['-linfo', ['l=info']],
    ['-l=info', ['l=info']],
    ['-l info', ['l=info']],
    ['-Dl info', ['D=true', 'l=info']],
    ['-l -D', ['l=-D']],
  ];
  for (const [line, parts] of cases) assert.deepEqual(split(line), parts, line);
});

test('arguments may stand between flags, or end them', () => {
  assert.deepEqual(split('a -D b'), ['a', 'D=true', 'b']);
  assert.deepEqual(split('a -D b', false), ['a', '-D', 'b']);
  assert.deepEqual(split('-D -- -l --nope'), ['D=true', '-l', '--nope']);
  assert.deepEqual(split('-'), ['-']);
});

test('help that is no flag is asked for, and a short one ends the line', () => {
  assert.deepEqual(split('--help a'), ['help=true', 'a']);
  assert.deepEqual(split('-Dh a -l'), ['D=true', '-h a -l']);
});

test('mistakes are named in the words of Docker', () => {
  const cases: [string, string, string | undefined][] = [
    ['--nope', 'unknown flag: --nope', '--nope'],
    ['--nope=5', 'unknown flag: --nope', '--nope'],
    ['-Dx', "unknown shorthand flag: 'x' in -x", '-x'],
    ['--level', 'flag needs an argument: --level', undefined],
    ['-Dl', "flag needs an argument: 'l' in -l", undefined],
    ['---debug', 'bad flag syntax: ---debug', undefined],
    ['--=x', 'bad flag syntax: --=x', undefined],
  ];
  for (const [line, message, unknown] of cases) {
    assert.throws(
      () => split(line),
      (error: unknown) => {
        assert.ok(error instanceof CommandLineError);
        assert.deepEqual([error.message, error.unknown], [message, unknown], line);
        return true;
      },
    );
  }
});
