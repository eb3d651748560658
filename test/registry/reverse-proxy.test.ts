// Behind a reverse proxy a registry is the same registry: clients log in, push and read answers under the name that they know.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import { ORAS, programOf } from '../fixtures/debian-program.ts';
import { must, run } from '../support/commands.ts';
import { inChromium, Tab } from './support/browser.ts';
import { type Nginx, startNginx } from './support/nginx.ts';
import { codesOf, scratch, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

/** The recipe that docker-registry's documentation gives, but for the names. @source distribution docs/recipes/nginx.md */
const recipe = (registry: string, auth = ''): string => `
    location /v2/ {
      if ($http_user_agent ~ "^(docker\\/1\\.(3|4|5(?!\\.[0-9]-dev))|Go ).*$") { return 404; }
      ${auth}
      add_header 'Docker-Distribution-Api-Version' $docker_distribution_api_version always;
      proxy_pass                          http://${registry};
      proxy_set_header  Host              $http_host;
      proxy_set_header  X-Real-IP         $remote_addr;
      proxy_set_header  X-Forwarded-For   $proxy_add_x_forwarded_for;
      proxy_set_header  X-Forwarded-Proto $scheme;
      proxy_read_timeout                  900;
    }`;
const RECIPE_MAP = `map $upstream_http_docker_distribution_api_version $docker_distribution_api_version { '' 'registry/2.0'; }`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request over the proxy's TLS. */
function ask(
  nginx: Nginx,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, nginx.url), { method, headers, ca: nginx.ca, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += String(piece);
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    call.once('error', reject);
    call.end(body);
  });
}

async function withAccounts(folder: string, anonymous: 'none' | 'pull'): Promise<TestRegistry> {
  const htpasswdFile = join(folder, 'htpasswd');
  writeFileSync(htpasswdFile, `${await htpasswdLine('ann', 'secret')}\n`);
  const token = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 } as const;
  return startRegistry({ access: { anonymous, realm: 'x', htpasswdFile, token, rights: [], admins: [] } });
}

test("docker-registry's nginx recipe: the token's realm is the proxy's own URL, and a real client logs in, pushes and pulls", async (t) => {
  using folder = scratch();
  await using registry = await withAccounts(folder.path, 'pull');
  await using nginx = await startNginx(recipe(registry.address), RECIPE_MAP);
  if (!nginx) return t.skip('no nginx here');
  const { headers } = await ask(nginx, 'GET', '/v2/');
  assert.match(String(headers['www-authenticate']), new RegExp(`^Bearer realm="${nginx.url}/v2/_gantry/token"`));
  const oras = await programOf(ORAS);
  if (oras === undefined) return;
  writeFileSync(join(folder.path, 'hello.txt'), 'hello');
  const config = ['--registry-config', join(folder.path, 'config.json'), '--ca-file', nginx.caFile];
  const name = `127.0.0.1:${nginx.port}/team/hello:v1`;
  const cwd = folder.path;
  await must(oras, ['login', '-u', 'ann', '--password-stdin', ...config, `127.0.0.1:${nginx.port}`], {
    input: 'secret',
    cwd,
  });
  await must(oras, ['push', ...config, name, 'hello.txt:text/plain'], { cwd });
  await must(oras, ['pull', ...config, '-o', join(folder.path, 'got'), name], { cwd });
  const wrong = await run(oras, ['login', '-u', 'ann', '-p', 'wrong', ...config, `127.0.0.1:${nginx.port}`], { cwd });
  assert.notEqual(wrong.code, 0);
});

test('where nginx asks for the password itself, the open registry behind it does not mind the header', async (t) => {
  using folder = scratch();
  const passwords = join(folder.path, 'nginx.htpasswd');
  writeFileSync(passwords, 'ann:{PLAIN}secret\n');
  await using registry = await startRegistry();
  const auth = `auth_basic "Registry realm"; auth_basic_user_file ${passwords};`;
  await using nginx = await startNginx(recipe(registry.address, auth), RECIPE_MAP);
  if (!nginx) return t.skip('no nginx here');
  const headers = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
  assert.equal((await ask(nginx, 'GET', '/v2/')).status, 401);
  for (let i = 0; i < 20; i++) assert.equal((await ask(nginx, 'GET', '/v2/', { headers })).status, 200);
  const begun = await ask(nginx, 'POST', '/v2/app/blobs/uploads/', { headers });
  assert.equal(begun.status, 202);
  const bytes = randomBytes(3 << 20);
  const put = await ask(nginx, 'PUT', `${begun.headers.location}?digest=${sha256(bytes)}`, { headers, body: bytes });
  assert.equal(put.status, 201);
});

test(
  'under a prefix, kept or taken away by the proxy, locations and the page lead where they should',
  inChromium,
  async (t) => {
    for (const isKept of [true, false]) {
      await using registry = await startRegistry({ prefix: isKept ? '/hub/images' : '' });
      const target = isKept ? `http://${registry.address}` : `http://${registry.address}/`;
      await using nginx = await startNginx(`
      location /hub/images/ {
        proxy_pass ${target};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-For $remote_addr;
        ${isKept ? '' : 'proxy_set_header X-Forwarded-Prefix /hub/images;'}
        proxy_request_buffering off; proxy_http_version 1.1;
      }`);
      if (!nginx) return t.skip('no nginx here');
      const begun = await ask(nginx, 'POST', '/hub/images/v2/app/blobs/uploads/');
      assert.match(String(begun.headers.location), /^\/hub\/images\/v2\/app\/blobs\/uploads\/[0-9a-f]{32}$/);
      const bytes = randomBytes(100_000);
      const put = await ask(nginx, 'PUT', `${begun.headers.location}?digest=${sha256(bytes)}`, { body: bytes });
      assert.equal(put.headers.location, `/hub/images/v2/app/blobs/${sha256(bytes)}`);
      assert.equal((await ask(nginx, 'GET', String(put.headers.location))).status, 200);
      const body = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
      for (const tag of ['a', 'b'])
        await ask(nginx, 'PUT', `/hub/images/v2/app/manifests/${tag}`, {
          body,
          headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
        });
      const page = await ask(nginx, 'GET', '/hub/images/v2/app/tags/list?n=1');
      assert.match(String(page.headers.link), /^<\/hub\/images\/v2\/app\/tags\/list\?n=1&last=a>/);
      await using tab = await Tab.open('--ignore-certificate-errors');
      for (const path of ['/hub/images/', '/hub/images/_gantry']) {
        await tab.page.goto(`${nginx.url}${path}`);
        await tab.shows(/app/);
        assert.equal(tab.page.url().replace(/#.*/, ''), `${nginx.url}/hub/images/_gantry/`);
      }
      assert.deepEqual(tab.faults, []);
      if (isKept) assert.equal((await registry.call('GET', '/v2/')).status, 404);
    }
  },
);

test('a URL of the configuration stands in every location and realm, whatever the proxy says', async () => {
  using folder = scratch();
  const htpasswdFile = join(folder.path, 'htpasswd');
  writeFileSync(htpasswdFile, '');
  const token = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 } as const;
  await using registry = await startRegistry({
    externalUrl: 'https://registry.example/hub',
    access: {
      anonymous: 'pull',
      realm: 'x',
      htpasswdFile,
      token,
      rights: [{ repositories: ['**'], subjects: ['anonymous'], actions: ['push'] }],
      admins: [],
    },
  });
  const headers = { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example' };
  const { headers: got } = await registry.call('GET', '/v2/', { headers });
  assert.match(
    got.get('www-authenticate') ?? '',
    /^Bearer realm="https:\/\/registry\.example\/hub\/v2\/_gantry\/token"/,
  );
  const begun = await registry.call('POST', '/v2/app/blobs/uploads/', { headers });
  assert.match(begun.headers.get('location') ?? '', /^\/hub\/v2\/app\//);
});

test('only proxies that are believed say who the client is; others are told of once', async () => {
  const forwarded = {
    'x-forwarded-for': '203.0.113.9, 198.51.100.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'registry.example',
  };
  for (const [trustedProxies, expected] of [
    [undefined, '198.51.100.1'],
    [[], '127.0.0.1'],
    [['10.0.0.1'], '127.0.0.1'],
    [['127.0.0.0/8'], '198.51.100.1'],
    [['127.0.0.0/8', '198.51.100.0/24'], '203.0.113.9'],
  ] as const) {
    const heard: string[] = [];
    await using receiver = await listenForEvents(heard);
    await using registry = await startRegistry({
      ...(trustedProxies === undefined ? {} : { trustedProxies }),
      webhooks: [
        {
          name: 'a',
          url: receiver.url,
          format: 'distribution',
          headers: {},
          actions: [],
          repositories: ['**'],
          timeoutMs: 5000,
          maxAttempts: 3,
          backoffMs: 10,
        },
      ],
    });
    registry.headers = forwarded;
    await registry.pushBlob('app', Buffer.from('x'));
    for (let i = 0; i < 200 && heard.length === 0; i++) await sleep(10);
    const [{ events: [event] = [] } = {}] = heard.map(
      (text) => JSON.parse(text) as { events: { request: { addr: string } }[] },
    );
    assert.equal(event?.request.addr.replace(/:\d+$/, ''), expected, JSON.stringify(trustedProxies));
    const told = registry.log.filter((line) => line.includes('name it in http.trustedproxies'));
    assert.equal(told.length, expected === '127.0.0.1' ? 1 : 0);
  }
});

test('a proxy that does not say whether clients use HTTPS is told of, as their logins will fail', async () => {
  await using registry = await startRegistry();
  for (let i = 0; i < 3; i++) await registry.call('GET', '/v2/', { headers: { 'x-forwarded-for': '192.0.2.1' } });
  const told = registry.log.filter((line) => /sends no X-Forwarded-Proto: clients are sent to http:\/\/127/.test(line));
  assert.equal(told.length, 1);
});

async function listenForEvents(heard: string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const { createServer } = await import('node:http');
  const server = createServer((call, answer) => {
    let text = '';
    call.on('data', (piece) => {
      text += String(piece);
    });
    call.on('end', () => {
      heard.push(text);
      answer.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends all of a body before it reads a byte of the answer, as many clients do. */
function sendAll(registry: TestRegistry, head: string, sizeBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(registry.url);
    const piece = Buffer.alloc(1 << 20);
    let sent = 0;
    const socket: Socket = connect(Number(port), hostname, () => {
      socket.write(head);
      more();
    });
    const more = (): void => {
      while (sent < sizeBytes) {
        sent += piece.length;
        if (!socket.write(piece)) return void socket.once('drain', more);
      }
      let got = '';
      socket.on('data', (data) => {
        got += String(data);
        if (!got.includes('\r\n\r\n')) return;
        socket.destroy();
        resolve(got);
      });
    };
    socket.once('error', reject);
  });
}

test('an early refusal reaches a sender that is in the middle of its body, however it speaks HTTP', async () => {
  using folder = scratch();
  await using closed = await withAccounts(folder.path, 'none');
  await using open = await startRegistry({ maxBlobBytes: 1 << 20 });
  const size = 40 << 20;
  for (const version of ['1.1', '1.0']) {
    for (const more of ['', 'Connection: close\r\n']) {
      const head = (line: string): string =>
        `${line} HTTP/${version}\r\nHost: 127.0.0.1\r\nContent-Length: ${size}\r\n${more}\r\n`;
      const begun = (await open.call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
      assert.match(await sendAll(closed, head('PUT /v2/app/manifests/v1'), size), /^HTTP\/1\.1 401 /);
      assert.match(await sendAll(open, head('PUT /nowhere'), size), /^HTTP\/1\.1 404 /);
      assert.match(await sendAll(open, head('PUT /v2/app/manifests/v1'), size), /^HTTP\/1\.1 413 /);
      assert.match(await sendAll(open, head(`PATCH ${begun}`), size), /^HTTP\/1\.1 413 /);
    }
  }
  const begun = (await open.call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
  const chunks = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1 << 20), Buffer.from('\r\n')]);
  const answer = await new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(open.url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(`PATCH ${begun} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`);
      for (let i = 0; i < 30; i++) socket.write(chunks);
      socket.write('0\r\n\r\n', () => socket.once('data', (data) => resolve(String(data))));
    });
    socket.once('error', reject);
  });
  assert.match(answer, /^HTTP\/1\.1 413 /);
});

test('an early refusal passes through nginx, whether it keeps the body or sends it on as it comes', async (t) => {
  using folder = scratch();
  await using registry = await withAccounts(folder.path, 'none');
  for (const buffering of ['on', 'off']) {
    await using nginx = await startNginx(
      `location / { proxy_pass http://${registry.address}; proxy_set_header Host $http_host; proxy_request_buffering ${buffering}; }`,
    );
    if (!nginx) return t.skip('no nginx here');
    for (let i = 0; i < 5; i++) {
      const answer = await ask(nginx, 'PUT', '/v2/app/blobs/uploads/x', { body: Buffer.alloc(30 << 20) });
      assert.equal(answer.status, 401, `${buffering}: ${nginx.errors()}`);
    }
  }
});

test('leave to send a body is given to who may send one, and to nobody else', async () => {
  using folder = scratch();
  await using registry = await withAccounts(folder.path, 'none');
  const put = (
    path: string,
    headers: Record<string, string>,
    body: Buffer,
  ): Promise<{ status: number; isContinued: boolean; text: string }> =>
    new Promise((resolve, reject) => {
      let isContinued = false;
      const length = { 'content-length': String(body.length), expect: '100-continue' };
      const call = httpRequest(new URL(path, registry.url), { method: 'PUT', headers: { ...headers, ...length } });
      call.once('continue', () => {
        isContinued = true;
        call.end(body);
      });
      call.once('response', (answer) => {
        let text = '';
        answer.on('data', (piece) => {
          text += String(piece);
        });
        answer.on('end', () => {
          call.destroy();
          resolve({ status: answer.statusCode ?? 0, isContinued, text });
        });
      });
      call.once('error', reject);
      call.flushHeaders();
    });
  const refused = await put('/v2/app/manifests/v1', {}, Buffer.alloc(1000));
  assert.deepEqual([refused.status, refused.isContinued], [401, false]);
  registry.headers = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
  const begun = await registry.call('POST', '/v2/app/blobs/uploads/');
  const bytes = randomBytes(1000);
  const path = `${begun.headers.get('location')}?digest=${sha256(bytes)}`;
  const taken = await put(path, registry.headers, bytes);
  assert.deepEqual([taken.status, taken.isContinued], [201, true]);
  assert.deepEqual(await codesOf(await registry.call('GET', '/v2/app/manifests/none')), ['MANIFEST_UNKNOWN']);
});
