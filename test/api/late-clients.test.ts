// Owns what clients of a whole daemon get when they come late, or ask of what has ended: execs, waits, sizes, processes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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

const get = (path: string): Promise<Answer> => daemon.api('GET', path);
const post = (path: string, body?: unknown): Promise<Answer> => daemon.api('POST', path, body);

async function run(body: object = {}): Promise<string> {
  const made = await post('/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'], ...body });
  assert.equal(made.status, 201, made.text);
  const { Id } = made.json<{ Id: string }>();
  assert.equal((await post(`/containers/${Id}/start`)).status, 204);
  return Id;
}
async function execIn(id: string, body: object): Promise<string> {
  const made = await post(`/containers/${id}/exec`, { AttachStdout: true, ...body });
  assert.equal(made.status, 201, made.text);
  return made.json<{ Id: string }>().Id;
}
const remove = (id: string): Promise<Answer> => daemon.api('DELETE', `/containers/${id}?force=1`);
const message = (answer: Answer): string => answer.json<{ message: string }>().message;

const SHORT = { Cmd: ['sh', '-c', 'echo said; exit 7'], HostConfig: { AutoRemove: true } };

test('a client that waits right behind the start of a container that removes itself gets its exit code', async () => {
  for (const condition of ['', 'not-running', 'next-exit', 'removed']) {
    const ids = await Promise.all(Array.from({ length: 5 }, () => run(SHORT)));
    for (const id of ids) {
      const waited = await post(`/containers/${id}/wait?condition=${condition}`);
      assert.deepEqual([waited.status, waited.text], [200, '{"StatusCode":7}\n']);
    }
  }
});

test('what a container that removes itself said and how it ended can be asked for a moment', async () => {
  const id = await run(SHORT);
  await post(`/containers/${id}/wait?condition=not-running`);
  const { State } = (await get(`/containers/${id}/json`)).json<{ State: { Status: string; ExitCode: number } }>();
  assert.deepEqual([State.Status, State.ExitCode], ['removing', 7]);
  assert.match((await get(`/containers/${id}/logs?stdout=1`)).text, /said/);
  const started = await post(`/containers/${id}/start`);
  assert.deepEqual([started.status, message(started)], [409, 'container is marked for removal and cannot be started']);
  await eventually('its removal', async () => (await get(`/containers/${id}/json`)).status === 404, 5000);
  assert.equal((await post(`/containers/${id}/wait`)).text, '{"StatusCode":7}\n');
});

test('a container that removes itself leaves nothing when the daemon ends in its last moment', async () => {
  const id = await run(SHORT);
  await post(`/containers/${id}/wait?condition=not-running`);
  await daemon.restart();
  await eventually('its removal', async () => (await get(`/containers/${id}/json`)).status === 404, 5000);
});

test('execs end with their container: none starts later, outcomes stay until it is removed', async () => {
  const id = await run();
  const [ended, unstarted, running] = await Promise.all([
    execIn(id, { Cmd: ['sh', '-c', 'exit 3'] }),
    execIn(id, { Cmd: ['true'] }),
    execIn(id, { Cmd: ['sleep', '1000'] }),
  ]);
  for (const exec of [ended, running]) await post(`/exec/${exec}/start`, { Detach: true });
  await eventually('the end of one', async () => (await get(`/exec/${ended}/json`)).json().ExitCode === 3);
  await post(`/containers/${id}/stop?t=0`);
  assert.equal((await get(`/exec/${ended}/json`)).json().ExitCode, 3);
  const again = await post(`/exec/${ended}/start`, {});
  assert.deepEqual([again.status, message(again)], [409, `container ${id} is not running`]);
  const never = await post(`/exec/${unstarted}/start`, { Detach: true });
  assert.deepEqual([never.status, message(never)], [404, `No such exec instance: ${unstarted}`]);
  await eventually('the end of the other', async () => (await get(`/exec/${running}/json`)).json().ExitCode === 137);

  await sleep(1000);
  assert.equal((await remove(id)).status, 204);
  for (const call of [get(`/exec/${ended}/json`), post(`/exec/${ended}/start`, {})]) {
    assert.equal((await call).status, 404);
  }
});

test('the exit code of an exec reaches its client when the container is removed under it', async () => {
  const id = await run();
  const exec = daemon.docker('exec', id, 'sleep', '1000');
  await eventually('the exec', async () => (await get(`/containers/${id}/json`)).json().ExecIDs !== null);
  await remove(id);
  assert.equal((await exec).code, 137);
});

test('an exec draws at the size that its creation or its start names, and at each later one', async () => {
  const id = await run();
  const sizeOf = async (made: object, started: object): Promise<string> => {
    const exec = await execIn(id, { Cmd: ['stty', 'size'], Tty: true, ...made });
    return (await post(`/exec/${exec}/start`, { Tty: true, ...started })).text.trim();
  };
  assert.equal(await sizeOf({ ConsoleSize: [55, 66] }, {}), '55 66');
  assert.equal(await sizeOf({}, { ConsoleSize: [12, 34] }), '12 34');

  const exec = await execIn(id, { Cmd: ['sh', '-c', 'while :; do stty size; usleep 20000; done'], Tty: true });
  const early = post(`/exec/${exec}/resize?h=11&w=22`);
  const output = post(`/exec/${exec}/start`, { Tty: true });
  assert.equal((await early).status, 200, 'a size that comes before the start is waited with');
  await sleep(300);
  await post(`/exec/${exec}/resize?h=13&w=24`);
  await sleep(300);
  await remove(id);
  assert.match((await output).text, /11 22[\s\S]*13 24/);
});

test('a size for what has no terminal is taken, one for an exec that ended is not found', async () => {
  const id = await run();
  const exec = await execIn(id, { Cmd: ['sleep', '0.2'] });
  await post(`/exec/${exec}/start`, { Detach: true });
  assert.equal((await post(`/exec/${exec}/resize?h=1&w=2`)).status, 200);
  assert.equal((await post(`/containers/${id}/resize?h=1&w=2`)).status, 200);
  await eventually('its end', async () => (await get(`/exec/${exec}/json`)).json().Running === false);
  const late = await post(`/exec/${exec}/resize?h=1&w=2`);
  assert.deepEqual([late.status, message(late)], [404, `NotFound: process does not exist ${exec}: not found`]);
  await remove(id);
});

test('events that come while the command line starts are shown', async () => {
  const made = await post('/containers/create', { Image: 'busybox', Cmd: ['true'] });
  const { Id } = made.json<{ Id: string }>();
  const flags = ['events', '--filter', 'event=start', '--format', 'started {{.Actor.ID}}'];
  await using events = follow(PROGRAMS.gantry, flags, { DOCKER_HOST: daemon.host });
  await post(`/containers/${Id}/start`);
  await events.until(`started ${Id}`);
  await remove(Id);
});

test('events tell who looked at processes and who changed a size', async () => {
  const id = await run();
  await post(`/containers/${id}/resize?h=10&w=20`);
  const top = await get(`/containers/${id}/top?ps_args=-o%20pid,comm`);
  assert.deepEqual(
    top.json<{ Processes: string[][] }>().Processes.map(([, name]) => name),
    ['sleep'],
  );
  await get(`/containers/${id}/top?ps_args=aux%20f`);
  await remove(id);
  const until = Math.ceil(Date.now() / 1000);
  const events = await get(`/events?since=${until - 60}&until=${until}&filters={"container":["${id}"]}`);
  const lines = events.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ Action }) => Action),
    ['create', 'start', 'resize', 'top', 'top', 'kill', 'die', 'destroy'],
  );
  const { height, width } = lines[2].Actor.Attributes;
  assert.deepEqual([height, width], ['10', '20']);
});
