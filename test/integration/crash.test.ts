// Owns the daemon's death at every moment of its work: what is half made is finished or gone at the next start.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox } from '../fixtures/busybox.ts';
import { nginx } from '../fixtures/nginx.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';
import { startRegistry } from '../support/registry.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

interface Listed {
  readonly Id: string;
  readonly State: string;
}

const containers = async () => (await daemon.api('GET', '/containers/json?all=1')).json<Listed[]>();
const ports = () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`);

/** Kills the daemon `delayMs` after `work` began, starts it again. The work's own failure is expected. */
async function killDuring(work: Promise<unknown>, delayMs: number): Promise<void> {
  const ended = work.catch(() => {});
  await sleep(delayMs);
  await daemon.kill9();
  await ended;
  await daemon.start();
}

/** Removes every container; @throws AssertionError when one of them leaves a link, a shim or a folder. */
async function removeAll(): Promise<void> {
  for (const { Id } of await containers()) {
    const removed = await daemon.api('DELETE', `/containers/${Id}?force=1&v=1`);
    assert.ok(removed.status < 300, `rm: ${removed.status} ${removed.text}`);
  }
  assert.deepEqual(await containers(), []);
  await eventually('no link left on the bridge', () => ports().length === 0);
  await eventually('no shim left', () => readdirSync(`${daemon.execRoot}/shims`).length === 0);
  await eventually('no folder left', () => readdirSync(`${daemon.dataRoot}/containers`).length === 0);
}

for (const delayMs of [0, 2, 5, 10, 15, 20, 30, 40, 60, 90]) {
  test(`killed ${delayMs} ms into create and start`, async () => {
    const work = (async () => {
      const made = await daemon.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'] });
      const id = made.json<{ Id: string }>().Id;
      await daemon.api('POST', `/containers/${id}/start`);
      await daemon.api('POST', `/containers/${id}/stop?t=0`);
      await daemon.api('DELETE', `/containers/${id}`);
    })();
    await killDuring(work, delayMs);
    for (const { Id, State } of await containers()) {
      assert.ok(['created', 'running', 'exited'].includes(State), `${Id} is ${State}`);
      const started = await daemon.api('POST', `/containers/${Id}/start`);
      assert.ok(started.status === 204 || started.status === 304, `start: ${started.status} ${started.text}`);
    }
    await removeAll();
  });
}

test('killed while an image is unpacked: the next pull makes it whole', async () => {
  const image = await nginx();
  await using registry = await startRegistry();
  await registry.push(image.layout, 'crash/nginx', '1');
  const name = `${registry.address}/crash/nginx`;
  const pull = () => daemon.api('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=1`);
  for (const delayMs of [20, 150, 400, 800]) {
    await killDuring(pull(), delayMs);
    const answer = await daemon.api('GET', '/images/json');
    assert.equal(answer.status, 200);
  }
  const pulled = await pull();
  assert.doesNotMatch(pulled.text, /"error"/);
  const said = await daemon.gantry('run', '--rm', '--entrypoint', 'nginx', `${name}:1`, '-v');
  assert.match(said.stderr, /nginx version/);
  assert.equal((await daemon.gantry('rmi', `${name}:1`)).code, 0);
  assert.deepEqual(readdirSync(`${daemon.dataRoot}/content/ingest`), []);
});
