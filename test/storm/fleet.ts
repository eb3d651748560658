// Owns a mixed fleet of containers whose right end is known beforehand, and the check that each of them came to it.

import assert from 'node:assert/strict';
import type { Daemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

/** One container of the fleet with what must be true of it at the end. */
export interface Member {
  readonly name: string;
  readonly check: (daemon: Daemon) => Promise<void>;
}

interface Inspected {
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly OOMKilled: boolean };
  readonly RestartCount: number;
}

async function inspect(daemon: Daemon, name: string): Promise<Inspected> {
  const answer = await daemon.api('GET', `/containers/${name}/json`);
  assert.equal(answer.status, 200, `${name}: ${answer.text}`);
  return answer.json<Inspected>();
}

async function make(daemon: Daemon, name: string, body: Record<string, unknown>): Promise<void> {
  const created = await daemon.api('POST', `/containers/create?name=${name}`, { Image: 'busybox', ...body });
  assert.equal(created.status, 201, created.text);
  const started = await daemon.api('POST', `/containers/${name}/start`);
  assert.equal(started.status, 204, started.text);
}

const sh = (script: string): readonly string[] => ['sh', '-c', script];

/** Prints a number a line until it is stopped; none may be missing, doubled or out of order. */
async function counter(daemon: Daemon, name: string): Promise<Member> {
  const script = 'trap "exit 9" TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done';
  await make(daemon, name, { Cmd: sh(script) });
  return {
    name,
    async check() {
      assert.equal((await inspect(daemon, name)).State.Status, 'running', name);
      const stopped = await daemon.api('POST', `/containers/${name}/stop`);
      assert.equal(stopped.status, 204, stopped.text);
      assert.equal((await inspect(daemon, name)).State.ExitCode, 9, name);
      const said = await daemon.gantry('logs', name, { timeoutMs: 120_000 });
      const lines = said.stdout.trim().split('\n');
      const wrong = lines.findIndex((line, index) => line !== String(index));
      assert.equal(wrong, -1, `${name}: line ${wrong} of ${lines.length} is "${lines[wrong]}"`);
      assert.ok(lines.length > 20, `${name}: ${lines.length} lines`);
    },
  };
}

/** Fails until its policy gives up: the count and the last exit code are right. */
async function failing(daemon: Daemon, name: string, tries: number): Promise<Member> {
  const policy = { Name: 'on-failure', MaximumRetryCount: tries };
  await make(daemon, name, { Cmd: sh('echo run; sleep 0.2; exit 4'), HostConfig: { RestartPolicy: policy } });
  return {
    name,
    async check() {
      const gaveUp = async (): Promise<boolean> => (await inspect(daemon, name)).State.Status === 'exited';
      await eventually(`${name} gives up`, gaveUp, 120_000);
      const { State, RestartCount } = await inspect(daemon, name);
      assert.deepEqual([State.ExitCode, RestartCount], [4, tries], name);
      const runs = (await daemon.gantry('logs', name)).stdout.trim().split('\n').length;
      assert.equal(runs, tries + 1, `${name}: ${runs} runs`);
    },
  };
}

/** Serves a published port: it answers whenever it is asked. */
async function server(daemon: Daemon, name: string, port: number): Promise<Member> {
  const script = `mkdir /www; echo ${name} > /www/index.html; exec httpd -f -p 80 -h /www`;
  const bindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] };
  await make(daemon, name, { Cmd: sh(script), HostConfig: { PortBindings: bindings } });
  await eventually(`${name} answers`, () => answers(name, port));
  return { name, check: async () => assert.ok(await answers(name, port), `${name} does not answer`) };
}

async function answers(name: string, port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(3000) }).catch(
    () => undefined,
  );
  return (await response?.text().catch(() => ''))?.trim() === name;
}

/** Has a health check that always succeeds. */
async function healthy(daemon: Daemon, name: string): Promise<Member> {
  const check = { Test: ['CMD', 'true'], Interval: 300_000_000, Timeout: 5_000_000_000 };
  await make(daemon, name, { Cmd: ['sleep', '100000'], Healthcheck: check });
  return {
    name,
    async check() {
      const status = async (): Promise<string | undefined> =>
        (await daemon.api('GET', `/containers/${name}/json`)).json<{ State: { Health?: { Status: string } } }>().State
          .Health?.Status;
      await eventually(`${name} is healthy`, async () => (await status()) === 'healthy');
    },
  };
}

/** All kinds, `size` of each. Ports are the caller's. */
export async function launchFleet(daemon: Daemon, size: number, ports: readonly number[]): Promise<readonly Member[]> {
  const members: Member[] = [];
  for (let n = 0; n < size; n++) {
    members.push(await counter(daemon, `counter${n}`));
    members.push(await failing(daemon, `failing${n}`, 4 + n));
    members.push(await healthy(daemon, `healthy${n}`));
  }
  for (const [n, port] of ports.entries()) members.push(await server(daemon, `server${n}`, port));
  return members;
}
