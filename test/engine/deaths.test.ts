// Owns the unlooked-for deaths of the engine's helpers: a shim, the spawner. Containers are seen as they are, and work goes on.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
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

const must = async (...args: string[]) => {
  const said = await daemon.gantry(...args);
  assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
  return said.stdout.trim();
};
const shimPid = (id: string): number =>
  Number(readFileSync(`${daemon.execRoot}/shims/${id.slice(0, 24)}/shim.pid`, 'utf8'));
const pidOf = async (id: string): Promise<number> => Number(await must('inspect', '-f', '{{.State.Pid}}', id));
const gone = (pid: number) => eventually(`the end of ${pid}`, () => !existsSync(`/proc/${pid}`));
const state = (id: string) => must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', id);

test('a container whose shim is killed is ended, reported, and may be started again', async () => {
  const id = await must('run', '-d', 'busybox', 'sh', '-c', 'sleep 1000 & sleep 1000');
  const pid = await pidOf(id);
  const waited = must('wait', id);
  process.kill(shimPid(id), 'SIGKILL');
  assert.equal(await waited, '137');
  await gone(pid);
  assert.equal(await state(id), 'exited 137');
  await eventually('its link gone', () => readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length === 0);
  await must('start', id);
  assert.equal(await must('exec', id, 'echo', 'again'), 'again');
  await must('rm', '-f', id);
});

test('a restart policy answers the death of a shim', async () => {
  const id = await must('run', '-d', '--restart', 'always', 'busybox', 'sleep', '1000');
  const pid = await pidOf(id);
  process.kill(shimPid(id), 'SIGKILL');
  await gone(pid);
  await eventually('a second run', async () => (await state(id)).startsWith('running'));
  assert.equal(await must('inspect', '-f', '{{.RestartCount}}', id), '1');
  await must('rm', '-f', id);
});

test('a shim that was killed while no daemon ran is found out at the next start', async () => {
  const id = await must('run', '-d', 'busybox', 'sleep', '1000');
  const pid = await pidOf(id);
  const shim = shimPid(id);
  await daemon.kill9();
  process.kill(shim, 'SIGKILL');
  await gone(shim);
  await daemon.start();
  await gone(pid);
  assert.equal(await state(id), 'exited 137');
  await must('start', id);
  assert.equal(await state(id), 'running 0');
  await must('rm', '-f', id);
});

test('after the death of the spawner the next start and exec work', async () => {
  const id = await must('run', '-d', 'busybox', 'sleep', '1000');
  const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const spawner = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('spawner'));
  assert.ok(spawner, `no spawner among ${children}`);
  process.kill(spawner, 'SIGKILL');
  await gone(spawner);
  assert.equal(await must('exec', id, 'echo', 'still'), 'still');
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'new'), 'new');
  await must('stop', '-t', '0', id);
  await must('start', id);
  await must('rm', '-f', id);
});

test('the death of an exec’s shim ends the exec, not the container', async () => {
  const id = await must('run', '-d', 'busybox', 'sleep', '1000');
  const exec = daemon.gantry('exec', id, 'sleep', '900');
  const execId = await eventually('the exec', async () => {
    const ids = await must('inspect', '-f', '{{json .ExecIDs}}', id);
    return (JSON.parse(ids) as string[] | null)?.[0];
  });
  const shim = await eventually('its shim', () => {
    const path = `${daemon.execRoot}/shims/${execId.slice(0, 24)}/shim.pid`;
    return existsSync(path) && Number(readFileSync(path, 'utf8'));
  });
  process.kill(shim, 'SIGKILL');
  assert.equal((await exec).code, 137);
  assert.equal(await state(id), 'running 0');
  await must('rm', '-f', id);
  await eventually('no shim left', () => readdirSync(`${daemon.execRoot}/shims`).length === 0);
});
