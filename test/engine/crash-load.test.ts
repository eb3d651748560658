// Owns the daemon's death in the middle of much work: what ran runs on, nothing half made stays, and every verb works again.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
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

interface Inspected {
  readonly State: { readonly Status: string; readonly Pid: number; readonly ExitCode: number };
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}
interface Listed {
  readonly Id: string;
  readonly State: string;
}

const api = (method: string, path: string, body?: unknown) => daemon.api(method, path, body);
const list = async () => (await api('GET', '/containers/json?all=1')).json<Listed[]>();
const inspect = async (id: string) => (await api('GET', `/containers/${id}/json`)).json<Inspected>();
const must = async (...args: string[]) => {
  const said = await daemon.gantry(...args);
  assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
  return said.stdout.trim();
};

/** One worker: makes, starts, execs, stops and removes containers until it is told to end; the daemon may die under it. */
async function work(signal: AbortSignal, seed: number): Promise<void> {
  for (let round = seed; !signal.aborted; round++) {
    try {
      const body = {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'echo begun; sleep 0.05; exit 7'],
        Volumes: round % 3 === 0 ? { '/data': {} } : undefined,
        HostConfig: {
          AutoRemove: round % 2 === 0,
          IpcMode: round % 5 === 0 ? 'shareable' : undefined,
          PortBindings: round % 4 === 0 ? { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } : undefined,
        },
      };
      const { Id } = (await api('POST', '/containers/create', body)).json<{ Id: string }>();
      await api('POST', `/containers/${Id}/start`);
      const exec = await api('POST', `/containers/${Id}/exec`, { Cmd: ['sleep', '0.1'] });
      if (exec.status === 201) {
        await api('POST', `/exec/${exec.json<{ Id: string }>().Id}/start`, { Detach: true });
      }
      if (round % 3 === 1) await api('POST', `/containers/${Id}/stop?t=0`);
      await api('DELETE', `/containers/${Id}?force=1&v=1`);
    } catch {
      await sleep(5);
    }
  }
}

test('killed again and again under load, nothing is lost and nothing is left', { timeout: 100_000 }, async () => {
  const steady = await must('run', '-d', '--name', 'steady', '-p', '127.0.0.1::80', 'busybox', 'sleep', '1000');
  const { State: before, NetworkSettings } = await inspect(steady);
  const script = 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; usleep 20000; done; exit 42';
  const counter = await must('run', '-d', '--name', 'counter', 'busybox', 'sh', '-c', script);
  const done = new AbortController();
  const workers = [0, 1, 2].map((seed) => work(done.signal, seed));
  for (let round = 0; round < 7; round++) {
    await sleep(80 + ((round * 137) % 400));
    await daemon.kill9();
    await daemon.start();
  }
  done.abort();
  await Promise.all(workers);

  const after = await inspect(steady);
  assert.deepEqual([after.State.Status, after.State.Pid], ['running', before.Pid]);
  assert.deepEqual(after.NetworkSettings.Networks.bridge?.IPAddress, NetworkSettings.Networks.bridge?.IPAddress);
  assert.equal(await must('wait', 'counter'), '42');
  const expected = Array.from({ length: 400 }, (_, index) => `${index + 1}`).join('\n');
  assert.equal(await must('logs', 'counter'), expected);

  for (const { Id, State } of await list()) {
    if (Id === steady || Id === counter) continue;
    const { State: told } = await inspect(Id);
    assert.equal(told.Pid > 0, State === 'running' || State === 'paused', `${Id} is ${State} with ${told.Pid}`);
    if (told.Pid > 0) assert.ok(existsSync(`/proc/${told.Pid}`), `${Id} is told to run`);
    await api('POST', `/containers/${Id}/start`);
    assert.ok([204, 404].includes((await api('DELETE', `/containers/${Id}?force=1&v=1`)).status));
  }
  await must('rm', '-f', '-v', 'steady', 'counter');
  assert.deepEqual(await list(), []);
  await eventually('no shim', () => readdirSync(`${daemon.execRoot}/shims`).length === 0);
  await eventually('no folder', () => readdirSync(`${daemon.dataRoot}/containers`).length === 0);
  await eventually('no link', () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length === 0);
  const states = readdirSync(daemon.execRoot).filter((name) => name.startsWith('runtime-'));
  for (const state of states) assert.deepEqual(readdirSync(`${daemon.execRoot}/${state}`), [], state);
  const filters = encodeURIComponent(JSON.stringify({ all: ['true'] }));
  assert.equal((await api('POST', `/volumes/prune?filters=${filters}`)).status, 200);
  assert.deepEqual(readdirSync(`${daemon.dataRoot}/volumes`), []);
});

test('a start that was answered by nobody keeps its address', async () => {
  for (const delayMs of [5, 15, 25, 35, 50]) {
    const { Id } = (await api('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'] })).json<{
      Id: string;
    }>();
    const started = api('POST', `/containers/${Id}/start`).catch(() => undefined);
    await sleep(delayMs);
    await daemon.kill9();
    await started;
    await daemon.start();
    const { State, NetworkSettings } = await inspect(Id);
    if (State.Status === 'running') {
      const told = NetworkSettings.Networks.bridge?.IPAddress;
      assert.ok(told, 'an address is told');
      assert.match(await must('exec', Id, 'ip', '-o', '-4', 'addr', 'show', 'eth0'), new RegExp(`inet ${told}/`));
    } else assert.equal(State.Status, 'created');
    assert.equal((await api('DELETE', `/containers/${Id}?force=1`)).status, 204);
  }
});

test('an exit that was never noted as a start is told with its code', async () => {
  for (const delayMs of [10, 20, 30]) {
    const body = { Image: 'busybox', Cmd: ['sh', '-c', 'echo ran; exit 9'] };
    const { Id } = (await api('POST', '/containers/create', body)).json<{ Id: string }>();
    const started = api('POST', `/containers/${Id}/start`).catch(() => undefined);
    await sleep(delayMs);
    await daemon.kill9();
    await started;
    await sleep(150);
    await daemon.start();
    const { State } = await inspect(Id);
    const { text } = await api('GET', `/containers/${Id}/logs?stdout=1`);
    if (text.includes('ran')) assert.deepEqual([State.Status, State.ExitCode], ['exited', 9]);
    else assert.equal(State.Status, 'created');
    await api('DELETE', `/containers/${Id}?force=1`);
  }
});
