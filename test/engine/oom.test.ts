// Owns what is told of kills for memory: at once, also when the container lives on, and over a restart of the daemon.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox } from '../fixtures/busybox.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const LIMIT = { Memory: 20 << 20, MemorySwap: 20 << 20 };

async function run(script: string): Promise<string> {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: LIMIT };
  const { Id } = (await daemon.api('POST', '/containers/create', body)).json<{ Id: string }>();
  assert.equal((await daemon.api('POST', `/containers/${Id}/start`)).status, 204);
  return Id;
}
const stateOf = async (id: string) =>
  (await daemon.api('GET', `/containers/${id}/json`)).json<{
    State: { Status: string; OOMKilled: boolean; ExitCode: number };
  }>().State;
async function actionsOf(id: string): Promise<string[]> {
  const until = Math.ceil(Date.now() / 1000);
  const events = await daemon.api('GET', `/events?since=1&until=${until}&filters={"container":["${id}"]}`);
  const lines = events.text.trim().split('\n');
  return lines.map((line) => JSON.parse(line).Action).filter((action) => !action.startsWith('exec_'));
}
const remove = (id: string) => daemon.api('DELETE', `/containers/${id}?force=1`);

test('a container killed for memory says so, and its event comes before its end', async () => {
  const id = await run('exec tail /dev/zero');
  await daemon.api('POST', `/containers/${id}/wait`);
  const { OOMKilled, ExitCode } = await stateOf(id);
  assert.deepEqual([OOMKilled, ExitCode], [true, 137]);
  assert.deepEqual(await actionsOf(id), ['create', 'start', 'oom', 'die']);
  await remove(id);
});

test('a kill for memory within a container that lives on is told at once, each time', async () => {
  const id = await run('tail /dev/zero; tail /dev/zero; sleep 1000');
  await eventually('two events', async () => (await actionsOf(id)).filter((action) => action === 'oom').length === 2);
  const { Status, OOMKilled } = await stateOf(id);
  assert.deepEqual([Status, OOMKilled], ['running', true]);
  await remove(id);
});

test('an exec that is killed for memory marks its container, also when the daemon was away meanwhile', async () => {
  const id = await run('sleep 1000');
  assert.equal((await daemon.docker('exec', id, 'tail', '/dev/zero')).code, 137);
  await eventually('the mark', async () => (await stateOf(id)).OOMKilled);
  await daemon.api('POST', `/containers/${id}/restart?t=0`);
  assert.equal((await stateOf(id)).OOMKilled, false);

  const exec = await daemon.api('POST', `/containers/${id}/exec`, { Cmd: ['sh', '-c', 'sleep 1; tail /dev/zero'] });
  await daemon.api('POST', `/exec/${exec.json<{ Id: string }>().Id}/start`, { Detach: true });
  await daemon.kill9();
  await sleep(1500);
  await daemon.start();
  const { Status, OOMKilled } = await stateOf(id);
  assert.deepEqual([Status, OOMKilled], ['running', true]);
  assert.deepEqual(await actionsOf(id), ['oom']);
  await remove(id);
});
