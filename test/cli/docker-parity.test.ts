// Pins our command line to docker 28.2.2, case by case: `alias docker=gantry` would break scripts otherwise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { argvOf, COMMAND_CASES, CREATE_CASES, GRAMMAR_CASES, SHARED_COMMANDS } from './support/cases.table.ts';
import { FIXTURES, type Outcome, openComparison } from './support/compare.ts';
import { type HelpShape, helpShape } from './support/help-shape.ts';

interface Golden {
  readonly recordedAtMs: number;
  readonly create: Readonly<Record<string, unknown>>;
  readonly commands: Readonly<Record<string, Outcome>>;
  readonly help: Readonly<Record<string, HelpShape>>;
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
  for (const line of [...COMMAND_CASES, ...GRAMMAR_CASES]) {
    test(line, async () => {
      const outcome = await comparison.gantry(argvOf(line, FIXTURES), golden.recordedAtMs);
      assert.deepEqual(withoutOwnStart(outcome, golden.commands[line]), golden.commands[line]);
    });
  }
});

/** `events` also asks for what happened since its own start: docker misses that. */
function withoutOwnStart(outcome: Outcome, wanted: Outcome | undefined): Outcome {
  const requests = outcome.requests.map((request, index) => {
    const { since, ...query } = request.query;
    const isOurs = request.path === '/events' && wanted?.requests[index]?.query.since === undefined;
    return isOurs && /^\d+\.\d{3}$/.test(String(since)) ? { ...request, query } : request;
  });
  return { ...outcome, requests };
}

/** Options that docker shows and we do not have, by the command's last word. */
const ABSENT_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  // Experimental ones.
  run: ['use-api-socket'],
  create: [
    'use-api-socket',
    ...'availability group limit-bytes required-bytes scope secret sharing'.split(' '),
    'topology-preferred',
    'topology-required',
    'type',
  ],
  ls: ['tree', 'cluster'],
  list: ['tree', 'cluster'],
  images: ['tree'],
};

describe('help shows the usage, names and options that docker shows', () => {
  for (const path of SHARED_COMMANDS) {
    test(path, async () => {
      const { stdout, exitCode } = await comparison.gantry([...path.split(' '), '--help'], 0);
      const absent = ABSENT_OPTIONS[path.split(' ').at(-1) ?? ''] ?? [];
      const expected = golden.help[path];
      const options = expected?.options.filter((option) => !absent.includes(option.name));
      assert.deepEqual({ exitCode, ...helpShape(stdout) }, { exitCode: 0, ...expected, options });
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
