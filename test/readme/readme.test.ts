// Owns the truth of the README: every command that it shows is run here, or named with the test that runs it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DOCKER_COMMANDS, DOCKER_GROUPS } from '../../src/cli/docker-commands.table.ts';
import { COMMANDS, GROUPS } from '../../src/cli/registry.ts';
import { BUSYBOX, busybox } from '../fixtures/busybox.ts';
import { nginx } from '../fixtures/nginx.ts';
import { startRegistry } from '../registry/support/registry.ts';
import { SKIP } from '../support/clis.ts';
import { run } from '../support/commands.ts';
import { startDaemon } from '../support/daemon.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Commands that are run elsewhere, with the place. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm start': 'tools/start.mjs',
  'npm test': '.ci/run',
  'npm run check': 'tools/check.mjs',
  'npm test -- test/integration': 'tools/test.mjs',
  'GANTRY_ORACLE=unix:///run/docker.sock npm test -- test/conformance': 'test/conformance/golden.ts',
  'docker context create gantry --docker host=unix:///run/gantry/gantry.sock': 'test/cli/contexts.test.ts',
  'docker context use gantry': 'test/cli/contexts.test.ts',
  'bin/gantry-registry serve': 'test/registry/environment.test.ts',
  'bin/gantry-registry serve --addr 0.0.0.0:5000 --htpasswd htpasswd --tls-cert cert.pem --tls-key key.pem':
    'test/registry/tls.test.ts',
};

function sectionOf(title: string): string {
  const [, text = ''] = README.split(`\n## ${title}\n`);
  return text.split('\n## ')[0] ?? '';
}

const commands = (section: string): readonly string[] => {
  return sectionOf(section)
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.replace(/\s{2,}#.*$/, '').trim())
    .filter((line) => !(line in ELSEWHERE));
};

/** Runs a line of the README as it stands there, in a shell. */
async function play(line: string, env: Readonly<Record<string, string>>, cwd: string): Promise<void> {
  const path = `${join(ROOT, 'bin')}:${process.env.PATH}`;
  const { code, stdout, stderr } = await run('sh', ['-c', line.replace(/^bin\//, '')], {
    env: { ...env, PATH: path },
    cwd,
  });
  assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
}

test('what is run elsewhere is there', () => {
  for (const [line, place] of Object.entries(ELSEWHERE)) {
    assert.ok(README.includes(`    ${line}`), line);
    assert.ok(existsSync(join(ROOT, place)), place);
  }
});

test('"What is not there yet" names every command of docker that is missing, and none that is there', () => {
  const ours = new Set([...COMMANDS.flatMap(({ path, aliases }) => [path, ...aliases]), 'help']);
  const groups = new Set(GROUPS.map(({ path }) => path));
  const [, listed = ''] = /^(- Commands: .*?)^- Volume drivers/ms.exec(sectionOf('What is not there yet')) ?? [];
  const named = new Set(Array.from(listed.matchAll(/`([^`]+)`/g), ([, words = '']) => words));
  // `container stats` is `stats`, and a group that is missing as a whole is named by its own word.
  const isNamed = (path: string): boolean => {
    const [first = '', second = ''] = path.split(' ');
    return named.has(path) || (groups.has(first) ? named.has(second) && !ours.has(second) : named.has(first));
  };
  const missing = DOCKER_COMMANDS.filter((path) => !ours.has(path));
  assert.deepEqual(
    missing.filter((path) => !isNamed(path)),
    [],
    'missing, and not named',
  );
  const known = [...named].filter((words) => DOCKER_COMMANDS.includes(words) || DOCKER_GROUPS.has(words));
  assert.deepEqual(
    known.filter((words) => ours.has(words) || groups.has(words)),
    [],
    'named, and there',
  );
});

test('the commands of "Use" do what they say', async () => {
  await using daemon = await startDaemon();
  await daemon.load((await busybox('gantry/hello:latest')).archive);
  const web = await nginx();
  await daemon.load(web.archive);
  const env = { DOCKER_HOST: daemon.host, DOCKER_CONFIG: join(daemon.root, 'config') };
  await daemon.gantry('tag', web.name, 'nginx');
  const lines = commands('Use');
  assert.ok(lines.length > 3, 'there are some');
  for (const line of lines) await play(line, env, ROOT);
});

const COMPOSE_FILE = `services:
${['bridge', 'host', 'none']
  .map(
    (mode) =>
      `  on-${mode}: {image: ${BUSYBOX}, command: [sleep, '600'], network_mode: ${mode}, volumes: ['data:/data']}\n`,
  )
  .join('')}volumes: {data: {}}
`;

const compose = (args: readonly string[], env = {}) => run('docker', ['compose', ...args], { env });
const noCompose = SKIP.docker || ((await compose(['version'])).code !== 0 && 'no docker compose here');

test('Compose runs services on the networks that there are', { skip: noCompose }, async () => {
  await using daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
  const file = join(daemon.root, 'compose.yaml');
  writeFileSync(file, COMPOSE_FILE);
  const say = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await compose(['-f', file, '-p', 'readme', ...args], { DOCKER_HOST: daemon.host });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await say('up', '-d');
  assert.equal(await say('exec', '-T', 'on-none', 'sh', '-c', 'echo kept > /data/x'), '');
  assert.equal(await say('exec', '-T', 'on-bridge', 'cat', '/data/x'), 'kept\n');
  assert.deepEqual((await say('ps', '--services')).trim().split('\n').sort(), ['on-bridge', 'on-host', 'on-none']);
  await say('down', '-v', '-t', '0');
  assert.equal((await daemon.docker('ps', '-aq')).stdout, '');
});

test('the commands of "The registry" do what they say', async () => {
  await using registry = await startRegistry();
  for (const tag of ['latest', 'old']) await registry.pushImage('team/app', tag);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-readme-'));
  try {
    writeFileSync(join(folder, 'password.txt'), 'secret\n');
    const env = { GANTRY_REGISTRY: registry.address, DOCKER_CONFIG: join(folder, 'config') };
    const lines = commands('The registry');
    assert.ok(lines.length > 3, 'there are some');
    // Nobody answers a question here.
    for (const line of lines) await play(line.replace('registry rm', 'registry rm --force'), env, folder);
    assert.match(readFileSync(join(folder, 'htpasswd'), 'utf8'), /^ann:\$2/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
