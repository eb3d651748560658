// Pins which daemon is chosen, and where credentials come from and go: a wrong choice acts on the wrong machine.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { globalOptions } from '../grammar/global.table.ts';
import { parseLine } from '../grammar/parse.ts';
import { contextId } from './contexts.ts';
import { encodeRegistryAuth, eraseCredentials, findCredentials, storeCredentials } from './credentials.ts';
import { readConfigFile } from './file.ts';
import { chooseHost, DEFAULT_HOST } from './host.ts';

interface Folder extends Disposable {
  readonly path: string;
}

function folderWith(config: unknown): Folder {
  const path = mkdtempSync(join(tmpdir(), 'gantry-config-'));
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function addContext(folder: string, name: string, host: string): void {
  const meta = join(folder, 'contexts', 'meta', contextId(name));
  mkdirSync(meta, { recursive: true });
  const text = JSON.stringify({
    Name: name,
    Metadata: {},
    Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
  });
  writeFileSync(join(meta, 'meta.json'), text);
}

test('the daemon is the one of -H, then GANTRY_HOST, DOCKER_HOST, the context, the default socket', () => {
  using folder = folderWith({ currentContext: 'away' });
  addContext(folder.path, 'away', 'tcp://away:1');
  addContext(folder.path, 'other', 'tcp://other:1');
  const choose = (line: string, env: Record<string, string>): string => {
    const argv = line === '' ? [] : line.split(' ');
    const { flags } = parseLine(argv, { specs: globalOptions, interspersed: false });
    return chooseHost(flags, env, readConfigFile(folder.path)).host;
  };
  const env = { GANTRY_HOST: 'tcp://g:1', DOCKER_HOST: 'tcp://d:1' };
  assert.equal(choose('-H tcp://flag:1', env), 'tcp://flag:1');
  assert.equal(choose('', env), 'tcp://g:1');
  assert.equal(choose('', { DOCKER_HOST: 'tcp://d:1' }), 'tcp://d:1');
  assert.equal(choose('', { DOCKER_CONTEXT: 'other' }), 'tcp://other:1');
  assert.equal(choose('', {}), 'tcp://away:1');
  assert.equal(choose('--context other', env), 'tcp://other:1');
  assert.equal(choose('--context default', {}), DEFAULT_HOST);
  assert.throws(() => choose('--context nosuch', {}), /context "nosuch": context not found/);
  assert.throws(() => choose('-H a -H b', {}), /Specify only one -H$/);
});

test('credentials of config.json are found under their host, and kept keys survive a login', async () => {
  const auth = Buffer.from('me:p:w').toString('base64');
  using folder = folderWith({ auths: { 'https://r.example.com/v1/': { auth } }, psFormat: 'x' });
  const config = readConfigFile(folder.path);
  const found = { username: 'me', password: 'p:w', serveraddress: 'r.example.com' };
  assert.deepEqual(await findCredentials(config, 'r.example.com'), found);
  assert.deepEqual(await findCredentials(config, 'other.example.com'), {});
  await storeCredentials(config, 'other.example.com', { username: 'u', password: 's' });
  const stored = JSON.parse(readFileSync(config.path, 'utf8')) as Record<string, Record<string, unknown>>;
  assert.equal(stored.psFormat, 'x');
  assert.deepEqual(stored.auths?.['other.example.com'], { auth: Buffer.from('u:s').toString('base64') });
  assert.equal(await eraseCredentials(config, 'other.example.com'), true);
  assert.equal(await eraseCredentials(config, 'other.example.com'), false);
});

test('a credential helper is asked, and the file keeps no secret', async () => {
  using folder = folderWith({ credsStore: 'gantrytest' });
  const helper = join(folder.path, 'docker-credential-gantrytest');
  writeFileSync(
    helper,
    `#!/bin/sh\nread host\ncase "$1" in\nget) [ "$host" = known ] && echo '{"Username":"<token>","Secret":"T"}' || { echo 'credentials not found in native keychain'; exit 1; };;\nstore) echo "$host" > ${folder.path}/stored;;\nesac\n`,
  );
  chmodSync(helper, 0o755);
  const pathBefore = process.env.PATH;
  process.env.PATH = `${folder.path}:${pathBefore}`;
  try {
    const config = readConfigFile(folder.path);
    assert.deepEqual(await findCredentials(config, 'known'), { identitytoken: 'T', serveraddress: 'known' });
    assert.deepEqual(await findCredentials(config, 'unknown'), {});
    assert.equal(await storeCredentials(config, 'r', { username: 'u', password: 'secret' }), 'helper');
    assert.match(readFileSync(join(folder.path, 'stored'), 'utf8'), /"Secret":"secret"/);
    assert.doesNotMatch(readFileSync(config.path, 'utf8'), /secret/);
  } finally {
    process.env.PATH = pathBefore;
  }
});

test('the registry header is base64 for URLs, e30= when there is nothing', () => {
  assert.equal(encodeRegistryAuth({}), 'e30=');
  assert.match(encodeRegistryAuth({ username: '???>>>' }), /^[A-Za-z0-9_=-]+$/);
});
