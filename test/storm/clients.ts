// Owns the clients of a storm: each does one short life of a container after the other, on a daemon that dies under it. What it has
// been promised must be true afterwards.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Daemon } from '../support/daemon.ts';

export interface Client {
  /** Ends after the life under way. Resolves to how many lives there were, and how many calls the daemon's death cut off. */
  stop(): Promise<{ readonly lives: number; readonly cut: number }>;
}

/** A call that is repeated until a daemon answers it. */
async function call(daemon: Daemon, method: string, path: string, body?: unknown, cut?: () => void): Promise<Answer> {
  for (;;) {
    const answer = await daemon.api(method, path, body).catch(() => undefined);
    if (answer) return answer;
    cut?.();
    await sleep(20);
  }
}

/** Starts client number `n`. */
export function startClient(daemon: Daemon, n: number): Client {
  let stopped = false;
  let lives = 0;
  let cut = 0;
  const noteCut = (): void => {
    cut++;
  };
  const work = (async () => {
    while (!stopped) await LIVES[randomInt(LIVES.length)]?.(daemon, `life-${n}-${lives++}`, noteCut);
  })();
  return {
    async stop() {
      stopped = true;
      await work;
      return { lives, cut };
    },
  };
}

type Life = (daemon: Daemon, name: string, cut: () => void) => Promise<void>;

/** The name is ours alone: a create that was cut off and repeated finds its own container. */
async function createOnce(daemon: Daemon, name: string, body: Record<string, unknown>, cut: () => void): Promise<void> {
  const answer = await call(daemon, 'POST', `/containers/create?name=${name}`, { Image: 'busybox', ...body }, cut);
  assert.ok(answer.status === 201 || answer.status === 409, `create ${name}: ${answer.status} ${answer.text}`);
}

async function start(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  const answer = await call(daemon, 'POST', `/containers/${name}/start`, undefined, cut);
  // 404: it removes itself, and has ended before the repeated start.
  assert.ok([204, 304, 404].includes(answer.status), `start ${name}: ${answer.status} ${answer.text}`);
}

async function remove(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  const answer = await call(daemon, 'DELETE', `/containers/${name}?force=1&v=1`, undefined, cut);
  assert.ok([204, 404, 409].includes(answer.status), `rm ${name}: ${answer.status} ${answer.text}`);
}

/** A run with an exit code that must be remembered. */
async function runToEnd(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  const code = randomInt(1, 100);
  await createOnce(daemon, name, { Cmd: ['sh', '-c', `sleep 0.${randomInt(4)}; exit ${code}`] }, cut);
  await start(daemon, name, cut);
  for (;;) {
    const waited = await call(daemon, 'POST', `/containers/${name}/wait`, undefined, cut);
    if (waited.text === '') continue;
    const { StatusCode, Error: error } = waited.json<{ StatusCode: number; Error?: unknown }>();
    if (error) continue;
    assert.equal(StatusCode, code, name);
    break;
  }
  await remove(daemon, name, cut);
}

/** A container that removes itself, with an anonymous volume. */
async function selfRemoving(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  const body = { Cmd: ['sh', '-c', 'echo x > /data/x'], Volumes: { '/data': {} }, HostConfig: { AutoRemove: true } };
  await createOnce(daemon, name, body, cut);
  await start(daemon, name, cut);
}

/** Made and removed again, with a volume, never started. */
async function neverStarted(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  await createOnce(daemon, name, { Cmd: ['true'], Volumes: { '/data': {} } }, cut);
  await remove(daemon, name, cut);
}

/** Exec'd into, stopped and started again. */
async function busyLife(daemon: Daemon, name: string, cut: () => void): Promise<void> {
  const bindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] };
  await createOnce(daemon, name, { Cmd: ['sleep', '100000'], HostConfig: { PortBindings: bindings } }, cut);
  await start(daemon, name, cut);
  const made = await call(daemon, 'POST', `/containers/${name}/exec`, { Cmd: ['echo', name], AttachStdout: true }, cut);
  if (made.status === 201) {
    await daemon.api('POST', `/exec/${made.json<{ Id: string }>().Id}/start`, {}).catch(cut);
  }
  const stopped = await call(daemon, 'POST', `/containers/${name}/stop?t=0`, undefined, cut);
  assert.ok([204, 304].includes(stopped.status), `stop ${name}: ${stopped.status} ${stopped.text}`);
  await start(daemon, name, cut);
  await remove(daemon, name, cut);
}

const LIVES: readonly Life[] = [runToEnd, selfRemoving, neverStarted, busyLife];
