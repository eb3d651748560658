// Plays every recorded question to dockerd's command line and daemon.json, and walks its lists of flags and keys.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../lib/errors.ts';
import { readCommand } from './config.ts';
import { NESTED, OPTIONS } from './options.table.ts';

interface Answer {
  readonly argv: readonly string[];
  readonly file?: string;
  readonly says: string;
}
interface Golden {
  readonly flags: readonly string[];
  readonly keys: readonly string[];
  readonly answers: readonly Answer[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/dockerd.json', import.meta.url), 'utf8'));
const dir = mkdtempSync(join(tmpdir(), 'gantry-golden-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, 'daemon.json');

function ask({ argv, file }: Pick<Answer, 'argv' | 'file'>): string {
  if (file !== undefined) writeFileSync(path, file);
  try {
    readCommand(['--validate', ...(file === undefined ? [] : ['--config-file', path]), ...argv]);
    return 'configuration OK';
  } catch (error) {
    return messageOf(error).replaceAll(path, 'FILE').replace('configure the daemon', 'configure the Docker daemon');
  }
}

const OK = 'configuration OK';

/** Where we answer otherwise than `dockerd --validate`, and why. Every row is used. */
const OTHERWISE: readonly [why: string, is: (ours: string, dockerd: string) => boolean][] = [
  ['refused here by the table', (ours) => / is not supported: /.test(ours)],
  ['refused here until the network is safe', (ours) => /would give root on this machine/.test(ours)],
  ['refused here until a later version', (ours) => /sockets of systemd are not supported yet/.test(ours)],
  ['refused here: no containerd', (ours) => /a runtimeType needs containerd/.test(ours)],
  ['refused by dockerd only when it starts', (ours, dockerd) => dockerd === OK && AT_START.test(ours)],
  ['a value of what does nothing', (ours, dockerd) => ours === OK && NOT_LOOKED_AT.test(dockerd)],
  ['Docker 29 has it', (ours, dockerd) => ours === OK && /--(min-api-version|default-stop-timeout)$/.test(dockerd)],
  ['another usage text', (ours, dockerd) => /accepts no arguments/.test(ours) && dockerd.startsWith('Usage:')],
  ['a host that Go takes apart in another place', (_, dockerd) => dockerd.includes('(tcp://[:]:1)')],
  ['JavaScript reads the number before we see it', (_, dockerd) => /number (1e3|9{20}) into/.test(dockerd)],
  [
    'a name in a file that is none',
    (ours, dockerd) => dockerd === OK && /any configuration option: (nope|debug)$/.test(ours),
  ],
  ['pipes of Windows', (ours, dockerd) => dockerd === OK && /unsupported proto 'npipe'/.test(ours)],
];
const AT_START =
  /parse bip failed|driver not supported|storage-opt key|canonical form|smaller prefix|ICC=false uses|insecure registry .* is not valid|hyphen|runtime a: |is reserved|cgroupdriver option|specified default runtime/;
const NOT_LOOKED_AT = /node-generic-resource|GenericResource|userland-proxy-path|fixed-cidr-v6/;

test('what dockerd refuses is refused in its words, and what it takes is taken', () => {
  const used = new Set<string>();
  for (const answer of golden.answers) {
    const ours = ask(answer);
    if (ours === answer.says) continue;
    const row = OTHERWISE.find(([, is]) => is(ours, answer.says));
    assert.ok(row, `${answer.argv.join(' ')} ${answer.file ?? ''}\n dockerd: ${answer.says}\n gantryd: ${ours}`);
    used.add(row[0]);
  }
  assert.deepEqual(
    OTHERWISE.map(([why]) => why).filter((why) => !used.has(why)),
    [],
  );
});

test('every flag of dockerd has a row', () => {
  const ours = new Set(OPTIONS.map(({ flag }) => flag));
  assert.ok(golden.flags.length > 80);
  assert.deepEqual(
    golden.flags.filter((name) => !ours.has(name)),
    [],
  );
});

test('every key of a daemon.json has a row', () => {
  assert.ok(golden.keys.length > 100);
  const unknown = golden.keys.filter((key) => {
    const file = JSON.stringify({ [key]: NESTED[key] === undefined ? null : {} });
    return ask({ argv: [], file }).includes("don't match any configuration option");
  });
  assert.deepEqual(unknown, []);
});

test('what the table calls honoured is named by the test that shows it', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  for (const { flag, key, treatment } of OPTIONS) {
    if (treatment.kind !== 'honoured') continue;
    const place = join(root, treatment.test);
    assert.ok(existsSync(place), `${flag ?? key}: ${treatment.test} is missing`);
    const text = readFileSync(place, 'utf8');
    assert.ok(
      text.includes(`--${flag}`) || text.includes(`'${key}'`) || text.includes(`${key}:`),
      `${flag ?? key} in ${treatment.test}`,
    );
  }
});
