// Owns the daemon over TCP: who is let in with certificates and without, and that web pages are not.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequestArgs, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { busybox } from '../fixtures/busybox.ts';
import { freePort } from '../support/addresses.ts';
import { run } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-remote-'));
const at = (name: string): string => join(dir, name);
let archive: string;

before(async () => {
  archive = (await busybox()).archive;
  await makeAuthority('ca');
  await makeAuthority('stranger-ca');
  await makeCertificate('server', 'ca', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  await makeCertificate('client', 'ca', 'extendedKeyUsage=clientAuth');
  await makeCertificate('stranger', 'stranger-ca', 'extendedKeyUsage=clientAuth');
});
after(() => rmSync(dir, { recursive: true, force: true }));

async function openssl(...args: string[]): Promise<void> {
  const { code, stderr } = await run('openssl', args);
  assert.equal(code, 0, stderr);
}
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function makeAuthority(name: string): Promise<void> {
  const out = ['-keyout', at(`${name}-key.pem`), '-out', at(`${name}.pem`)];
  return openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, ...out);
}

async function makeCertificate(name: string, ca: string, extension: string): Promise<void> {
  writeFileSync(at(`${name}.ext`), extension);
  await openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', at(`${name}-key.pem`), '-out', at(`${name}.csr`));
  const authority = ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}-key.pem`), '-CAcreateserial'];
  const files = ['-in', at(`${name}.csr`), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)];
  await openssl('x509', '-req', '-days', '2', ...authority, ...files);
}

const serverFlags = ['--tlscert', at('server.pem'), '--tlskey', at('server-key.pem'), '--tlscacert', at('ca.pem')];

async function remote(...flags: string[]): Promise<{ daemon: Daemon; port: number }> {
  const port = await freePort();
  return { daemon: await startDaemon({ args: ['-H', `tcp://127.0.0.1:${port}`, ...flags] }), port };
}

interface Got {
  readonly status: number;
  readonly text: string;
}

function get(port: number, headers: ClientRequestArgs['headers'], method = 'GET', path = '/version'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    call.on('error', reject).end();
  });
}

test('with --tlsverify the docker command line works as over the socket, streams included', async () => {
  const { daemon, port } = await remote('--tlsverify', ...serverFlags);
  await using _ = daemon;
  await daemon.load(archive);
  const files = ['--tlscacert', at('ca.pem'), '--tlscert', at('client.pem'), '--tlskey', at('client-key.pem')];
  const docker = ['--tlsverify', ...files, '-H', `tcp://127.0.0.1:${port}`];
  const say = (args: readonly string[], input?: string) =>
    run('docker', [...docker, ...args], { env: { DOCKER_CONFIG: dir }, timeoutMs: 30_000, ...(input && { input }) });
  const piped = 'line\n'.repeat(50_000);
  assert.equal((await say(['run', '--rm', '-i', 'busybox', 'cat'], piped)).stdout, piped, 'run with stdin to its end');
  assert.equal((await say(['run', '-d', '--name', 'box', 'busybox', 'sleep', '1000'])).code, 0);
  assert.equal((await say(['exec', '-i', 'box', 'cat'], piped)).stdout, piped, 'exec with stdin to its end');
  const ended = await say(['exec', 'box', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
  assert.deepEqual(ended, { code: 3, stdout: 'out\n', stderr: 'err\n' });
  const info = JSON.parse((await say(['info', '--format', '{{json .}}'])).stdout);
  assert.ok(!/WARNING: API is accessible/.test(JSON.stringify(info.Warnings)));

  const outside = await run('docker', ['-H', `tcp://127.0.0.1:${port}`, 'version'], { env: { DOCKER_CONFIG: dir } });
  assert.notEqual(outside.code, 0, 'without TLS');
  const curl = (...args: string[]) =>
    run('curl', ['-s', '--cacert', at('ca.pem'), ...args, `https://127.0.0.1:${port}/_ping`]);
  const show = (name: string) => ['--cert', at(`${name}.pem`), '--key', at(`${name}-key.pem`)];
  assert.deepEqual(
    [(await curl()).stdout, (await curl(...show('stranger'))).stdout],
    ['', ''],
    'no certificate, or a stranger’s',
  );
  assert.equal((await curl(...show('client'))).stdout, 'OK');
  assert.match(
    (await curl(...show('client'), '-H', 'Origin: https://a.example')).stdout,
    /^\{"message":"requests of web pages/,
  );
});

test('old request lines work over TLS too', async () => {
  const { daemon, port } = await remote('--tlsverify=false', ...serverFlags);
  await using _ = daemon;
  const said = await new Promise<string>((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      socket.write('GET http:/version HTTP/1.0\r\n\r\n');
    });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject).on('end', () => resolve(text));
  });
  assert.match(said, /^HTTP\/1\.1 200 OK\r\n[\s\S]*"ApiVersion":/);
  const warnings = (await daemon.api('GET', '/info')).json<{ Warnings: readonly string[] }>().Warnings;
  assert.match(
    warnings[0] ?? '',
    new RegExp(`^WARNING: API is accessible on https://127.0.0.1:${port} without TLS client verification\\.`),
  );
});

test('over plain TCP a web page reaches nothing, under no name; command lines do', async () => {
  const { daemon, port } = await remote();
  await using _ = daemon;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost']) {
    assert.equal((await get(port, { host })).status, 200, host);
  }
  for (const headers of [
    { host: `evil.example:${port}` },
    { host: `127.0.0.1.nip.io:${port}` },
    { host: `localhost:${port}`, origin: 'https://evil.example' },
    { host: `localhost:${port}`, origin: `http://localhost:${port}` },
    { host: `localhost:${port}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  ]) {
    for (const [method, path] of [
      ['GET', '/version'],
      ['POST', '/containers/create'],
      ['POST', '/v1.51/containers/x/attach?stream=1'],
      ['OPTIONS', '/version'],
    ] as const) {
      const { status, text } = await get(port, headers, method, path);
      assert.equal(status, 403, `${method} ${JSON.stringify(headers)}`);
      assert.match(text, /^\{"message":"(requests of web pages are refused|the request is for the host )/);
    }
  }
  const bare = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /_ping HTTP/1.0\r\n\r\n'));
    socket.setEncoding('utf8').once('data', (text: string) => resolve(text));
  });
  assert.match(bare, /^HTTP\/1\.1 200 OK/, 'HTTP/1.0 has no Host');
  const direct = await run('docker', ['-H', `tcp://localhost:${port}`, 'version', '-f', '{{.Server.Os}}']);
  assert.equal(direct.stdout, 'linux\n');
  assert.equal((await daemon.api('GET', '/version')).status, 200, 'the socket has no such rule');
});

test('an address of the network needs a word for it; a name in --host is then one of ours', async () => {
  const port = await freePort();
  const flags = ['-H', `tcp://0.0.0.0:${port}`];
  const start = (...more: string[]) => startDaemon({ args: [...flags, ...more] });
  await assert.rejects(start(), /would give root on this machine to everyone who can reach it/);
  await assert.rejects(
    start('--tls', '--tlscert', at('none.pem')),
    /invalid TLS configuration: Could not load X509 key pair/,
  );
  await using daemon = await start('--tls=false', '-H', `tcp://localhost:${await freePort()}`);
  assert.equal((await get(port, { host: `192.0.2.9:${port}` })).status, 200, 'an address that was translated');
  assert.equal((await get(port, { host: 'evil.example' })).status, 403);
  assert.match(
    daemon.log(),
    new RegExp(`level=warn msg="API is accessible on http://0.0.0.0:${port} without encryption"`),
  );
});
