// Pins what a wrong word is answered with: a typing error is named, and a command of docker's that is missing says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOCKER_COMMANDS } from './docker-commands.table.ts';
import { COMMANDS, GROUPS } from './registry.ts';
import { closest } from './suggest.ts';
import { unknownCommand, unknownInGroup, unknownTopic } from './unknown-command.ts';

const hintOf = (line: string): string | undefined => unknownCommand(line.split(' ')).hint;

test('a typing error is met with the word that was meant', () => {
  for (const [typed, meant] of [
    ['rnu', 'run'],
    ['pss', 'ps'],
    ['imagse', 'images'],
    ['contianer', 'container'],
    ['lgoin', 'login'],
    ['rest', 'restart'],
  ] as const) {
    assert.equal(hintOf(typed), `did you mean "gantry ${meant}"?`);
  }
  assert.equal(hintOf('xyzzy'), undefined);
  const group = GROUPS.find((candidate) => candidate.path === 'container');
  assert.ok(group);
  assert.equal(unknownInGroup(group, 'lss').hint, 'did you mean "gantry container ls"?');
});

test('a command of docker that is missing says so in one sentence, with or without help', () => {
  for (const words of [['build', '.'], ['swarm', 'init'], ['swarm'], ['trust', 'sign', 'x']]) {
    const { message, exitCode } = unknownCommand(words);
    assert.match(message, /^gantry: "gantry [a-z ]+" is not there yet$/);
    assert.equal(exitCode, 1);
  }
  assert.match(unknownTopic(['build']).message, /is not there yet$/);
  assert.equal(unknownTopic(['nonsense']).message, 'unknown help topic: nonsense');
});

test('the list of docker knows every command of ours that docker has', () => {
  const groups = new Set(['registry']);
  const own = COMMANDS.filter((command) => !groups.has(command.path.split(' ')[0] ?? '')).map(
    (command) => command.path,
  );
  assert.deepEqual(
    own.filter((path) => !DOCKER_COMMANDS.includes(path)),
    [],
  );
  assert.equal(new Set(DOCKER_COMMANDS).size, DOCKER_COMMANDS.length);
});

test('a guess is near, not just any word', () => {
  assert.equal(closest('fromat', ['format', 'filter']), 'format');
  assert.equal(closest('naem', ['name', 'net']), 'name');
  assert.equal(closest('q', ['quiet', 'all']), undefined);
  assert.equal(closest('something', ['name', 'net']), undefined);
});
