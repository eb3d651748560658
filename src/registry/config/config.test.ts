// A configuration must mean what its author wrote, or be refused with the key that is wrong.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDuration, parseSize, readCommand } from './index.ts';
import type { RegistryConfig } from './types.ts';

function configOf(yaml: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): RegistryConfig {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-config-'));
  try {
    writeFileSync(join(folder, 'config.yml'), yaml);
    const command = readCommand(['serve', '--config', join(folder, 'config.yml'), ...flags], env);
    assert.equal(command.kind, 'serve');
    return (command as { config: RegistryConfig }).config;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('without a word it serves on loopback, open to everybody there', () => {
  const { host, port, access, root } = configOf('');
  assert.deepEqual([host, port, access.anonymous, root], ['127.0.0.1', 5000, 'push', '/var/lib/gantry-registry']);
});

test('on any other address strangers only pull, and with accounts they do nothing', () => {
  assert.equal(configOf('', ['--addr', '0.0.0.0:5000']).access.anonymous, 'pull');
  assert.equal(configOf('', ['--addr', ':5000']).host, '0.0.0.0');
  const { access } = configOf('', ['--htpasswd', '/x']);
  assert.deepEqual([access.anonymous, access.token], ['none', undefined]);
});

test('accounts beside anonymous pull come with tokens, which is the only way that Docker speaks both', () => {
  assert.equal(configOf('', ['--htpasswd', '/x', '--anonymous', 'pull']).access.token?.kind, 'own');
});

const DISTRIBUTION = `
version: 0.1
log: { level: warn, formatter: json, fields: { service: registry } }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: /srv/registry }
  delete: { enabled: false }
  maintenance: { uploadpurging: { enabled: true, age: 168h, interval: 24h, dryrun: false } }
http:
  addr: :5001
  headers: { X-Content-Type-Options: [nosniff] }
health: { storagedriver: { enabled: true, interval: 10s, threshold: 3 } }
notifications:
  endpoints: [{ name: ci, url: "http://ci.example/hook", headers: { Authorization: [Bearer x] }, timeout: 1s, threshold: 5, backoff: 2s }]
`;

test("docker-registry's file means the same", () => {
  const config = configOf(DISTRIBUTION);
  assert.deepEqual([config.root, config.host, config.port], ['/srv/registry', '0.0.0.0', 5001]);
  assert.deepEqual([config.isDeleteOn, config.logLevel, config.logFormat], [false, 'warn', 'json']);
  assert.equal(config.uploadExpiryMs, 7 * 86_400_000);
  const [hook] = config.webhooks;
  assert.deepEqual([hook?.timeoutMs, hook?.backoffMs, hook?.headers], [1000, 2000, { Authorization: 'Bearer x' }]);
});

test('flags win over variables, variables over the file', () => {
  const env = { REGISTRY_HTTP_ADDR: '127.0.0.1:6000', GANTRY_REGISTRY_ROOT: '/env' };
  assert.equal(configOf(DISTRIBUTION, [], env).port, 6000);
  assert.equal(configOf(DISTRIBUTION, [], env).root, '/env');
  assert.equal(configOf(DISTRIBUTION, ['--root', '/flag', '--addr', '127.0.0.1:7000'], env).root, '/flag');
});

const REFUSED: readonly (readonly [yaml: string, words: RegExp])[] = [
  ['policys: []', /policys: no such key/],
  ['storage: { azure: {} }', /storage\.azure: no such key/],
  ['auth: { silly: { realm: x } }', /auth\.silly: no such key/],
  ['http: { addr: nowhere }', /"nowhere" is not HOST:PORT/],
  ['http: { addr: "a:99999" }', /is not HOST:PORT/],
  ['garbage: { grace: soon }', /garbage\.grace: is no duration/],
  ['access: { anonymous: all }', /access\.anonymous/],
  ['notifications: { endpoints: [{ name: a, url: "ftp://x" }] }', /notifications\.endpoints\.0\.url/],
  ['auth: { token: { realm: "http://x" } }', /auth\.token needs realm, issuer and rootcertbundle/],
  ['http: { tls: { certificate: /a, key: /b }, headers: { "A B": x } }', /header "A B" is malformed/],
  ['a: [', /is no YAML/],
  ['- a', /no YAML mapping/],
];

for (const [yaml, words] of REFUSED) {
  test(`refused: ${yaml}`, () => assert.throws(() => configOf(yaml), words));
}

test('a flag or command that does not exist is named', () => {
  assert.throws(() => readCommand(['serve', '--adr', 'x'], {}), /unknown flag for serve: --adr/);
  assert.throws(() => readCommand(['srve'], {}), /unknown command: srve/);
  assert.throws(() => readCommand(['serve', '--addr'], {}), /needs an argument/);
});

test('the example of the documentation is a configuration', () => {
  const page = readFileSync(new URL('../../../docs/registry.md', import.meta.url), 'utf8');
  const block = page
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.slice(4));
  const config = configOf(block.join('\n').replaceAll('{ file: hook.key }', 'x').replaceAll('{ file: p }', 'x'));
  assert.deepEqual(
    [config.access.anonymous, config.immutableTags, config.retention[0]?.keepNewest],
    ['pull', ['**:v*'], 10],
  );
  assert.deepEqual(
    [config.proxies[0]?.prefix, config.replications[0]?.name, config.policies[0]?.acceptOnlySigned],
    ['hub', 'second', true],
  );
});

test('durations and sizes', () => {
  assert.deepEqual(['90s', '1h30m', '7d', '250ms', '1.5h', 'x', ''].map(parseDuration), [
    90_000,
    5_400_000,
    604_800_000,
    250,
    5_400_000,
    undefined,
    undefined,
  ]);
  assert.deepEqual(['4MiB', '64g', '1000', '1 kb', 'much'].map(parseSize), [
    4 << 20,
    64 * 1024 ** 3,
    1000,
    1024,
    undefined,
  ]);
});

test('keys that mean nothing here are told of, those that are used are not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-config-'));
  try {
    const path = join(folder, 'config.yml');
    writeFileSync(
      path,
      `${DISTRIBUTION}redis: { addr: "localhost:6379" }\nproxy: { remoteurl: "https://x.example", ttl: 1h }\n`,
    );
    const command = readCommand(['check-config', path], {});
    assert.equal(command.kind, 'check-config');
    assert.deepEqual('unusedKeys' in command && command.unusedKeys, [
      'log.fields',
      'storage.maintenance.uploadpurging.interval',
      'storage.maintenance.uploadpurging.dryrun',
      'storage.cache',
      'health',
      'redis',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('minimumtls raises the least version and never lowers it under 1.2', () => {
  const tls = (least: string) => configOf(`http: { tls: { certificate: /c, key: /k, minimumtls: ${least} } }`).tls;
  assert.equal(tls('tls1.3')?.minVersion, 'TLSv1.3');
  assert.equal(tls('tls1.0')?.minVersion, 'TLSv1.2');
});
