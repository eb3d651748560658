// Pins our command line to docker 28.2.2, case by case: `alias docker=gantry` would break scripts otherwise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { argvOf, COMMAND_CASES, CREATE_CASES } from './support/cases.table.ts';
import { FIXTURES, type Outcome, openComparison } from './support/compare.ts';

interface Golden {
  readonly recordedAtMs: number;
  readonly create: Readonly<Record<string, unknown>>;
  readonly commands: Readonly<Record<string, Outcome>>;
}

const golden = JSON.parse(readFileSync(new URL('./golden/docker-28.2.2.json', import.meta.url), 'utf8')) as Golden;

const comparison = await openComparison();
after(() => comparison[Symbol.asyncDispose]());

describe('the create body is the one docker sends', () => {
  for (const line of CREATE_CASES) {
    test(`create ${line}`, async () => {
      const outcome = await comparison.gantry(['create', ...argvOf(line, FIXTURES)], golden.recordedAtMs);
      assert.deepEqual(outcome.requests[0] ?? { failed: outcome.stderr }, golden.create[line]);
    });
  }
});

describe('a command sends, prints and exits as docker does', () => {
  for (const line of COMMAND_CASES) {
    test(line, async () => {
      assert.deepEqual(await comparison.gantry(argvOf(line, FIXTURES), golden.recordedAtMs), golden.commands[line]);
    });
  }
});

/** True when the docker that the recordings are of is at hand. */
function hasDocker(): boolean {
  return /Docker version 28\./.test(spawnSync('docker', ['--version'], { encoding: 'utf8' }).stdout ?? '');
}

test('the recordings are what docker does today', { skip: !hasDocker() }, async () => {
  for (const line of CREATE_CASES.slice(0, 20)) {
    const outcome = await comparison.docker(['create', ...argvOf(line, FIXTURES)]);
    assert.deepEqual(outcome.requests[0] ?? { failed: outcome.stderr }, golden.create[line], line);
  }
});
