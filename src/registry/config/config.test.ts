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
  assert.equal(configOf('', ['--addr', ':5000']).host, '', 'every address, by IPv6 too');
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
  assert.deepEqual([config.root, config.host, config.port], ['/srv/registry', '', 5001]);
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
  ['storage: { azure: {} }', /storage\.azure: this storage driver is not supported/],
  ['auth: { silly: { realm: x } }', /auth\.silly: auth\.silly is not supported/],
  ['http: { addr: nowhere }', /http\.addr: the address "nowhere" is not HOST:PORT/],
  ['http: { addr: "a:99999" }', /is not HOST:PORT/],
  ['http: { host: registry.example }', /http\.host: is no (http\(s\) )?URL/],
  ['http: { prefix: registry }', /http\.prefix: is no path/],
  ['http: { trustedproxies: [10.0.0.0/33] }', /http\.trustedproxies\.0: is no address and no network/],
  ['http: { net: unix }', /http\.net: is not tcp/],
  ['http: { tls: { certificate: /c, key: /k, letsencrypt: { email: x } } }', /Let's Encrypt is not supported/],
  ['storage: { filesystem: { rootdirectory: /x }, s3: { bucket: b } }', /storage: filesystem and s3 are both given/],
  ['storage: gcs', /storage\.gcs: this storage driver is not supported/],
  [
    'proxy: { remoteurl: "https://x.example", password: { file: /nowhere } }',
    /proxy\.0\.password: cannot read the secret/,
  ],
  ['garbage: { grace: soon }', /garbage\.grace: is no duration/],
  ['access: { anonymous: all }', /access\.anonymous/],
  ['notifications: { endpoints: [{ name: a, url: "ftp://x" }] }', /notifications\.endpoints\.0\.url/],
  ['auth: { token: { realm: "http://x" } }', /auth\.token needs realm, issuer and rootcertbundle/],
  [
    'http: { tls: { certificate: /a, key: /b }, headers: { "A B": x } }',
    /http\.headers: the header "A B" is malformed/,
  ],
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
    assert.deepEqual('notices' in command && command.notices.map((notice) => notice.split(' ')[2]), [
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

const noticesOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  const command = readCommand(['serve'], env);
  return 'notices' in command ? command.notices : [];
};

test('what Kubernetes tells of a service called registry, or as we are, keeps nothing from starting', () => {
  const service = (name: string) => ({
    [`${name}_SERVICE_HOST`]: '10.0.0.1',
    [`${name}_SERVICE_PORT`]: '5000',
    [`${name}_SERVICE_PORT_HTTP`]: '5000',
    [`${name}_PORT`]: 'tcp://10.0.0.1:5000',
    [`${name}_PORT_5000_TCP`]: 'tcp://10.0.0.1:5000',
    [`${name}_PORT_5000_TCP_ADDR`]: '10.0.0.1',
  });
  assert.equal(configOf('', [], service('REGISTRY')).port, 5000);
  assert.match(noticesOf(service('REGISTRY')).join('\n'), /REGISTRY_PORT means nothing here and is passed over/);
  assert.deepEqual(noticesOf(service('GANTRY_REGISTRY')), []);
});

test("docker-registry's variables mean what they mean there", () => {
  const env = {
    REGISTRY_AUTH_HTPASSWD_PATH: '/auth/htpasswd',
    REGISTRY_AUTH_HTPASSWD_REALM: '5',
    REGISTRY_AUTH: 'htpasswd',
    REGISTRY_STORAGE: 'filesystem',
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/data',
    REGISTRY_STORAGE_DELETE_ENABLED: 'false',
    'REGISTRY_HTTP_HEADERS_Access-Control-Allow-Origin': '["https://ui.example"]',
    REGISTRY_HTTP_TLS: '{certificate: /c, key: /k}',
    REGISTRY_NOTIFICATIONS_ENDPOINTS: '[{name: a, url: "http://x.example/"}]',
    REGISTRY_NOTIFICATIONS_ENDPOINTS_1_NAME: 'b',
    REGISTRY_NOTIFICATIONS_ENDPOINTS_1_URL: 'http://y.example/',
    REGISTRY_LOG_LEVEL: 'debug',
    REGISTRY_HTTP_HOST: '',
    REGISTRY_HTTP_SECRET: '12345',
    REGISTRY_PROXY_REMOTEURL: 'https://registry-1.docker.io',
    REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW: '[x]',
  };
  for (const file of ['', DISTRIBUTION, 'storage: { s3: { bucket: b } }\n']) {
    const config = configOf(file, [], env);
    assert.deepEqual(
      [config.access.htpasswdFile, config.access.realm, config.root, config.isDeleteOn, config.storage.kind],
      ['/auth/htpasswd', '5', '/data', false, 'filesystem'],
    );
    assert.equal(config.headers['access-control-allow-origin'], 'https://ui.example');
    assert.deepEqual(
      config.webhooks.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(
      [config.logLevel, config.tls?.keyFile, config.proxies[0]?.url],
      ['debug', '/k', 'https://registry-1.docker.io'],
    );
  }
  assert.equal(
    configOf('storage: { filesystem: { rootdirectory: /kept } }', [], { REGISTRY_STORAGE: 'filesystem' }).root,
    '/kept',
  );
});

test('a variable that is wrong is named, as is one that is misspelt', () => {
  assert.throws(
    () => configOf('', [], { REGISTRY_HTTP_ADDR: 'x' }),
    /REGISTRY_HTTP_ADDR \(http\.addr\): the address "x" is not HOST:PORT/,
  );
  assert.throws(
    () => configOf('', [], { REGISTRY_STORAGE_DELETE_ENABLED: 'maybe' }),
    /REGISTRY_STORAGE_DELETE_ENABLED \(storage\.delete\.enabled\)/,
  );
  assert.throws(() => configOf('', [], { REGISTRY_STORAGE_GCS_BUCKET: 'b' }), /this storage driver is not supported/);
  assert.throws(() => configOf('', [], { GANTRY_REGISTRY_ANONYMUS: 'none' }), /no variable GANTRY_REGISTRY_ANONYMUS/);
  assert.throws(
    () => configOf('', [], { GANTRY_REGISTRY_READ_ONLY: 'yes' }),
    /GANTRY_REGISTRY_READ_ONLY: "yes" is neither true nor false/,
  );
  assert.throws(() => configOf('', ['--log-format', 'xml']), /--log-format: "xml" is none of text, json/);
  assert.throws(() => configOf('', ['--anonymous', 'all']), /--anonymous: "all" is none of none, pull, push/);
  assert.throws(
    () => configOf('', ['--external-url', 'registry.example']),
    /--external-url: "registry\.example" is no http\(s\) URL/,
  );
  assert.throws(() => configOf('', ['--tls-cert', '/c']), /--tls-cert: TLS needs the private key too/);
  assert.match(noticesOf({ GANTRY_REGISTRY_VERSION: '1' }).join(), /GANTRY_REGISTRY_VERSION means nothing here/);
});

test('who administers is named by flag, variable or file', () => {
  assert.deepEqual(configOf('', ['--admin', 'ann, bob']).access.admins, ['ann', 'bob']);
  assert.deepEqual(configOf('', [], { GANTRY_REGISTRY_ADMIN: 'ann' }).access.admins, ['ann']);
  assert.deepEqual(configOf('access: { admins: [eve] }').access.admins, ['eve']);
  assert.deepEqual(configOf('').access.admins, []);
});

test('a prefix and a URL of its own are taken without their last slash', () => {
  const config = configOf('http: { prefix: /a/b/, host: "https://x.example/a/b/", relativeurls: true }');
  assert.deepEqual([config.prefix, config.externalUrl], ['/a/b', 'https://x.example/a/b']);
});

test('minimumtls raises the least version and never lowers it under 1.2', () => {
  const tls = (least: string) => configOf(`http: { tls: { certificate: /c, key: /k, minimumtls: ${least} } }`).tls;
  assert.equal(tls('tls1.3')?.minVersion, 'TLSv1.3');
  assert.equal(tls('tls1.0')?.minVersion, 'TLSv1.2');
});
