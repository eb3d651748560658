// Pins the list of commands: what help names must load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, findCommand } from './registry.ts';
import { rootHelp } from './top-help.ts';

test('every command in the list loads the code of that command', async () => {
  assert.ok(COMMANDS.length > 40);
  for (const entry of COMMANDS) {
    const { spec } = await entry.load();
    assert.equal(spec, entry.spec);
    for (const alias of entry.aliases) assert.equal(findCommand(alias.split(' '))?.entry, entry, alias);
  }
});

test('help fits a terminal of 80 columns', () => {
  for (const line of rootHelp(80).split('\n')) assert.ok(line.length <= 80, line);
});
