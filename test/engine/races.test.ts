// Owns verbs that meet each other on one container: nothing is lost, nobody waits for ever, and what is told is true.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { PROGRAMS } from '../support/clis.ts';
import { type Answer, type Daemon, startDaemon } from '../support/daemon.ts';
import { follow } from '../support/following.ts';
import { eventually } from '../support/patience.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const SLEEP = ['sleep', '1000'];
const TICKS = 'while :; do echo tick; usleep 50000; done';

async function create(hostConfig: object = {}, body: object = {}): Promise<string> {
  const request = { Image: 'busybox', Cmd: SLEEP, HostConfig: hostConfig, ...body };
  const made = await daemon.api('POST', '/containers/create', request);
  assert.equal(made.status, 201, made.text);
  return made.json<{ Id: string }>().Id;
}
const post = (id: string, verb: string): Promise<Answer> => daemon.api('POST', `/containers/${id}/${verb}`);
const remove = (id: string, query = ''): Promise<Answer> => daemon.api('DELETE', `/containers/${id}${query}`);
interface Inspected {
  readonly State: { readonly Status: string; readonly Pid: number; readonly ExitCode: number };
  readonly RestartCount: number;
}
const inspect = async (id: string) => (await daemon.api('GET', `/containers/${id}/json`)).json<Inspected>();
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** What every engine of this test must look like when its containers are gone. */
async function assertNothingLeft(): Promise<void> {
  const all = (await daemon.api('GET', '/containers/json?all=1')).json<unknown[]>();
  assert.deepEqual(all, []);
  await eventually('no shim', () => readdirSync(`${daemon.execRoot}/shims`).length === 0);
  await eventually('no folder', () => readdirSync(`${daemon.dataRoot}/containers`).length === 0);
  await eventually('no link', () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length === 0);
}

test('rm without force never takes away a container that is just being started', async () => {
  for (let round = 0; round < 8; round++) {
    const id = await create();
    const [started, removed] = await Promise.all([post(id, 'start'), remove(id)]);
    if (removed.status === 204) assert.equal(started.status, 404, started.text);
    else {
      assert.equal(removed.status, 409, removed.text);
      assert.equal((await inspect(id)).State.Status, 'running');
      assert.equal((await remove(id, '?force=1')).status, 204);
    }
  }
  await assertNothingLeft();
});

test('rm -f ends and removes whatever others do meanwhile', async () => {
  for (let round = 0; round < 6; round++) {
    const id = await create();
    const answers = await Promise.all([
      post(id, 'start'),
      post(id, 'restart?t=0'),
      remove(id, '?force=1'),
      post(id, 'start'),
      post(id, 'kill'),
      post(id, 'stop?t=0'),
      post(id, 'pause'),
    ]);
    for (const { status, text } of answers) assert.ok([204, 304, 404, 409].includes(status), `${status} ${text}`);
    assert.ok([204, 404].includes((await remove(id, '?force=1')).status));
  }
  await assertNothingLeft();
});

test('of many starts one starts', async () => {
  const id = await create();
  const statuses = (await Promise.all(Array.from({ length: 6 }, () => post(id, 'start')))).map(({ status }) => status);
  assert.deepEqual(statuses.toSorted(), [204, 304, 304, 304, 304, 304]);
  await remove(id, '?force=1');
});

test('a stopped container that would restart stays stopped, whenever the stop comes', async () => {
  for (let round = 0; round < 5; round++) {
    const id = await create({ RestartPolicy: { Name: 'always' } }, { Cmd: ['true'] });
    await post(id, 'start');
    await eventually('a restart', async () => (await inspect(id)).RestartCount > 0);
    assert.equal((await post(id, 'stop?t=0')).status, 204);
    const { State, RestartCount } = await inspect(id);
    assert.equal(State.Status, 'exited');
    const again = await post(id, 'wait');
    assert.equal(again.status, 200);
    assert.equal((await inspect(id)).RestartCount, RestartCount);
    assert.equal((await remove(id)).status, 204);
  }
});

test('rm -f of one that waits for its restart', async () => {
  const id = await create({ RestartPolicy: { Name: 'always' } }, { Cmd: ['false'] });
  await post(id, 'start');
  await eventually('the wait', async () => (await inspect(id)).State.Status === 'restarting');
  assert.equal((await remove(id, '?force=1')).status, 204);
  await assertNothingLeft();
});

test('on-failure:2 gives up after two', async () => {
  const id = await create({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } }, { Cmd: ['false'] });
  await post(id, 'start');
  await eventually('giving up', async () => (await inspect(id)).State.Status === 'exited');
  const { State, RestartCount } = await inspect(id);
  assert.deepEqual([State.ExitCode, RestartCount], [1, 2]);
  await remove(id);
});

test('everybody who waits for a container hears of its removal by another', async () => {
  const id = await create();
  const waits = ['next-exit', 'removed'].map((condition) => post(id, `wait?condition=${condition}`));
  const attached = post(id, 'attach?stream=1&stdout=1');
  await eventually('the attacher', async () => (await daemon.api('GET', '/_ping')).status === 200);
  assert.equal((await remove(id)).status, 204);
  for (const waited of await Promise.all(waits)) assert.deepEqual(waited.json(), { StatusCode: 0 });
  assert.equal((await attached).text, '');
});

test('an attacher of a start that fails sees the end, and the next start has attachers of its own', async () => {
  const id = await create({}, { Cmd: ['/no/such/program'] });
  const attached = post(id, 'attach?stream=1&stdout=1');
  assert.equal((await post(id, 'start')).status, 400);
  assert.equal((await attached).text, '');
  await remove(id);
});

test('a failed start gives back its address and its port', async () => {
  const holder = await create({ PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] } });
  await post(holder, 'start');
  const ids = await Promise.all(
    Array.from({ length: 5 }, () => create({}, { Cmd: ['sleep', '1000'], User: 'nobody-at-all' })),
  );
  const answers = await Promise.all(ids.map((id) => post(id, 'start')));
  for (const { status, text } of answers) assert.equal(status, 400, text);
  await eventually('the links gone', () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length === 1);
  await Promise.all([...ids, holder].map((id) => remove(id, '?force=1')));
  await assertNothingLeft();
});

test('a container that removes itself goes when its start fails, too', async () => {
  const id = await create({ AutoRemove: true }, { Cmd: ['/no/such/program'] });
  const waited = post(id, 'wait?condition=removed');
  await eventually('the wait', async () => (await inspect(id)).State.Status === 'created');
  assert.equal((await post(id, 'start')).status, 400);
  assert.deepEqual((await waited).json(), { StatusCode: 127 });
});

test('followers of the log, attachers and execs end with the container that is taken away', async () => {
  const said = await daemon.gantry('run', '-d', '--name', 'leaving', 'busybox', 'sh', '-c', TICKS);
  assert.equal(said.code, 0, said.stderr);
  const env = { DOCKER_HOST: daemon.host };
  await using log = follow(PROGRAMS.gantry, ['logs', '-f', 'leaving'], env);
  await using attached = follow(PROGRAMS.gantry, ['attach', '--no-stdin', 'leaving'], env);
  await using exec = follow(PROGRAMS.gantry, ['exec', 'leaving', 'sh', '-c', 'echo in; sleep 1000'], env);
  await exec.until('in');
  await log.until('tick');
  await attached.until('tick');
  assert.equal((await remove('leaving', '?force=1')).status, 204);
  assert.equal(await log.ended, 0);
  assert.equal(await exec.ended, 137);
  assert.equal(await attached.ended, 137);
});

test('stop and kill of a paused container end it', async () => {
  for (const verb of ['stop?t=1', 'kill', 'restart?t=0']) {
    const id = await create();
    await post(id, 'start');
    assert.equal((await post(id, 'pause')).status, 204);
    assert.equal((await post(id, verb)).status, 204);
    const { State } = await inspect(id);
    assert.equal(State.Status, verb.startsWith('restart') ? 'running' : 'exited');
    await remove(id, '?force=1');
  }
});

test('a restart keeps a container that removes itself; its stop does not', async () => {
  const id = await create({ AutoRemove: true });
  await post(id, 'start');
  const { State: first } = await inspect(id);
  assert.equal((await post(id, 'restart?t=0')).status, 204);
  const { State: second } = await inspect(id);
  assert.equal(second.Status, 'running');
  assert.ok(!isAlive(first.Pid) && isAlive(second.Pid));
  const gone = post(id, 'wait?condition=removed');
  assert.equal((await post(id, 'stop?t=0')).status, 204);
  assert.deepEqual((await gone).json(), { StatusCode: 137 });
});

/** A raw client: the request goes out, then whatever the test writes. */
function upgrade(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(daemon.socket);
    socket.once('error', reject);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
    socket.once('data', () => resolve(socket));
  });
}

test('a raw client leaves a terminal by the detach keys; the container stays', async () => {
  const id = await create({}, { Tty: true, OpenStdin: true, Cmd: ['cat'] });
  await post(id, 'start');
  const socket = await upgrade(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,b`);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('word\r');
  await new Promise<void>((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.includes('word\r\nword')) resolve();
    });
  });
  socket.write('\x01');
  socket.write('b');
  await closed;
  assert.equal((await inspect(id)).State.Status, 'running');
  await remove(id, '?force=1');
});

test('stored output comes before live output', async () => {
  const id = await create({}, { Cmd: ['sh', '-c', 'echo early; read x; echo late'], OpenStdin: true, StdinOnce: true });
  await post(id, 'start');
  await eventually('the first line', async () =>
    (await daemon.api('GET', `/containers/${id}/logs?stdout=1`)).text.includes('early'),
  );
  const socket = await upgrade(`/containers/${id}/attach?logs=1&stream=1&stdin=1&stdout=1`);
  let text = '';
  const ended = new Promise((resolve) => socket.once('end', resolve));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write('go\n');
  await ended;
  socket.destroy();
  assert.match(text, /late\n$/);
  await remove(id);
});
