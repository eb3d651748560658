// Owns the truth of the README: every command that it shows is run here, or named with the test that runs it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busybox } from '../fixtures/busybox.ts';
import { nginx } from '../fixtures/nginx.ts';
import { startRegistry } from '../registry/support/registry.ts';
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

const commands = (section: string): readonly string[] => {
  const [, text = ''] = README.split(`\n## ${section}\n`);
  const [own = ''] = text.split('\n## ');
  return own
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
