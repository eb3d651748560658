// Owns the walk that the engine is for: a web server pulled from a registry, published, read, crashed under, stopped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nginx } from '../fixtures/nginx.ts';
import { freePort } from '../support/addresses.ts';
import { CLIS, PROGRAMS, SKIP } from '../support/clis.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { follow } from '../support/following.ts';
import { eventually } from '../support/patience.ts';
import { startRegistry } from '../support/registry.ts';

const HELLO = 'Hello from nginx\n';

const get = (port: number, path: string) =>
  eventually(`nginx on port ${port}`, () =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
      .then((answer) => answer.text())
      .catch(() => undefined),
  );

/** Follows the log until it shows the request for `path`. */
async function seesRequest(daemon: Daemon, program: string, port: number, path: string): Promise<void> {
  await using log = follow(program, ['logs', '-f', 'web'], { DOCKER_HOST: daemon.host });
  assert.equal(await get(port, path), HELLO);
  await log.until(`GET ${path} HTTP/1.1" 200`);
}

for (const cli of CLIS) {
  test(`with ${cli}: pull, publish, follow the log, survive kill -9, stop with code 0`, {
    skip: SKIP[cli],
  }, async () => {
    const image = await nginx();
    await using registry = await startRegistry();
    const digest = await registry.push(image.layout, 'team/nginx', '1');
    await using daemon = await startDaemon();
    const say = daemon[cli];
    const name = `${registry.address}/team/nginx:1`;

    const pulled = await say('pull', name);
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.match(pulled.stdout, new RegExp(`Digest: ${digest}`));
    assert.match(pulled.stdout, /Status: Downloaded newer image/);
    assert.match((await say('pull', name)).stdout, /Status: Image is up to date/);

    const port = await freePort();
    const ran = await say('run', '-d', '--name', 'web', '-p', `${port}:80`, name);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^[0-9a-f]{64}\n$/);
    await seesRequest(daemon, PROGRAMS[cli], port, '/?one');

    await daemon.kill9();
    assert.equal(await get(port, '/?without-daemon'), HELLO, 'the port works while no daemon runs');
    await daemon.start();
    assert.match((await say('ps', '--format', '{{.Names}} {{.Status}}')).stdout, /^web Up /);
    const log = await say('logs', 'web');
    assert.match(log.stdout, /GET \/\?without-daemon HTTP/, 'the log has what came while no daemon ran');
    await seesRequest(daemon, PROGRAMS[cli], port, '/?again');
    assert.equal((await say('exec', 'web', 'cat', '/var/www/html/index.html')).stdout, HELLO);

    assert.equal((await say('stop', 'web')).code, 0);
    assert.equal((await say('inspect', '-f', '{{.State.ExitCode}} {{.State.Status}}', 'web')).stdout, '0 exited\n');
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), 'the port is free again');
    assert.equal((await say('rm', 'web')).code, 0);
    assert.equal((await say('rmi', name)).code, 0);
  });
}
