// Pins the list of commands: what help names must load, and the version must be the package's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS, findCommand } from './registry.ts';
import { CLI_VERSION, rootHelp } from './top-help.ts';

test('the version is the one of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.equal(CLI_VERSION, manifest.version);
});

test('every command in the list exists, under its own name', async () => {
  assert.ok(COMMANDS.length > 40);
  for (const entry of COMMANDS) {
    const { spec } = await entry.load();
    assert.equal(spec.path, entry.path);
    assert.deepEqual(spec.aliases ?? [], entry.aliases);
    assert.equal(spec.about, entry.about);
    for (const alias of entry.aliases) assert.equal(findCommand(alias.split(' '))?.entry, entry, alias);
  }
});

test('help fits a terminal of 80 columns', () => {
  for (const line of rootHelp(80).split('\n')) assert.ok(line.length <= 80, line);
});
