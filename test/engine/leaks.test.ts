// Owns the proof that verbs give back what they open: an engine and its API in this process, each verb many times over, and what the
// process holds before and after. GANTRY_LEAK_ROUNDS=1000 takes its time.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ApiServer, createApiServer } from '../../src/api/index.ts';
import type { OpenEngine } from '../../src/engine/index.ts';
import { peerIsGone } from '../../src/host/peer-gone.ts';
import { openEngine } from '../../src/library/open.ts';
import { busybox } from '../fixtures/busybox.ts';
import { type Answer, apiCall } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

const ROUNDS = Number(process.env.GANTRY_LEAK_ROUNDS ?? 100);
/** Rounds under way at the same time. */
const SIDE_BY_SIDE = 4;
/** What a round may leave in the heap: records of the last ones (events, execs) are kept on purpose, up to a bound. */
const KEPT_BYTES_A_ROUND = 6000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let root = '';
let engine: OpenEngine;
let api: ApiServer;
let archive: Buffer;
const socketPath = (): string => join(root, 'api.sock');

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await apiCall(socketPath(), method, path, body);
  assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

const idOf = (answer: Answer): string => answer.json<{ Id: string }>().Id;

async function create(body: Record<string, unknown>, name?: string): Promise<string> {
  const path = name === undefined ? '/containers/create' : `/containers/create?name=${name}`;
  return idOf(await call('POST', path, { Image: 'busybox', ...body }));
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-`));
  archive = readFileSync((await busybox()).archive);
  engine = await openEngine({ root, bridge: 'none' });
  api = createApiServer({ engine, facts: { version: '0.0.0', experimental: false }, isPeerGone: peerIsGone });
  await api.listen({ kind: 'unix', path: socketPath() });
  await call('POST', '/images/load?quiet=1', archive);
  const sleeper = { Cmd: ['sh', '-c', 'echo one; echo two; exec sleep 100000'], HostConfig: { NetworkMode: 'none' } };
  await create(sleeper, 'sleeper');
  await call('POST', '/containers/sleeper/start');
});

after(async () => {
  await apiCall(socketPath(), 'DELETE', '/containers/sleeper?force=1');
  await api?.close();
  await engine?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

/** What this process holds: descriptors by kind, handles and timers by kind, threads, and bytes in the heap after a collection. */
interface Held {
  readonly things: Readonly<Record<string, number>>;
  readonly heapBytes: number;
}

function held(): Held {
  collect();
  const things: Record<string, number> = {};
  const count = (kind: string): void => {
    things[kind] = (things[kind] ?? 0) + 1;
  };
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      count(`descriptor ${readlinkSync(`/proc/self/fd/${fd}`).replace(/[:[(/].*/s, '') || 'file'}`);
    } catch {
      // The one that listed them.
    }
  }
  for (const kind of process.getActiveResourcesInfo()) count(`handle ${kind}`);
  things.threads = readdirSync('/proc/self/task').length;
  return { things, heapBytes: process.memoryUsage().heapUsed };
}

async function times(count: number, round: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await round();
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

/** Kinds of which there are more now than before. */
function grown(before: Held, now: Held): Record<string, string> {
  const more = Object.entries(now.things).filter(([kind, count]) => count > (before.things[kind] ?? 0));
  return Object.fromEntries(more.map(([kind, count]) => [kind, `${before.things[kind] ?? 0} → ${count}`]));
}

/** An open connection after `request`, which the caller ends as rudely as wanted. */
function stream(method: string, path: string, body?: unknown): Promise<{ destroy(): void; text(): Promise<string> }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath: socketPath(), method, path, agent: false, headers }, (response) => {
      const text = async (): Promise<string> => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part as Buffer);
        return Buffer.concat(parts).toString();
      };
      resolve({ destroy: () => sent.destroy(), text });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A hijacked attach that is cut in mid-stream. */
function cutAttach(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath());
    socket.on('error', reject);
    socket.once('data', () => socket.destroy());
    socket.once('close', () => resolve());
    socket.write(
      'POST /containers/sleeper/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
    );
  });
}

const NONE = { HostConfig: { NetworkMode: 'none' } };

/** Each verb, and how many rounds it costs as much as one of the cheap ones. */
const VERBS: Readonly<Record<string, { readonly cost: number; readonly round: () => Promise<unknown> }>> = {
  inspect: { cost: 1, round: () => call('GET', '/containers/sleeper/json') },
  'logs to the end': { cost: 1, round: () => call('GET', '/containers/sleeper/logs?stdout=1') },
  'logs followed and cut off': {
    cost: 1,
    round: async () => {
      const logs = await stream('GET', '/containers/sleeper/logs?stdout=1&follow=1');
      logs.destroy();
    },
  },
  'events followed and cut off': {
    cost: 1,
    round: async () => {
      const events = await stream('GET', '/events');
      events.destroy();
    },
  },
  'attach cut off': { cost: 1, round: cutAttach },
  'wait cut off': {
    cost: 1,
    round: async () => {
      const wait = await stream('POST', '/containers/sleeper/wait');
      wait.destroy();
    },
  },
  'create and rm': {
    cost: 1,
    round: async () => call('DELETE', `/containers/${await create({ ...NONE, Cmd: ['true'] })}`),
  },
  'create and rm with an anonymous volume': {
    cost: 2,
    round: async () => call('DELETE', `/containers/${await create({ ...NONE, Volumes: { '/data': {} } })}?v=1`),
  },
  exec: {
    cost: 4,
    round: async () => {
      const id = idOf(await call('POST', '/containers/sleeper/exec', { Cmd: ['echo', 'x'], AttachStdout: true }));
      const output = await stream('POST', `/exec/${id}/start`, {});
      assert.match(await output.text(), /x\n$/);
    },
  },
  'exec detached': {
    cost: 4,
    round: async () => {
      const id = idOf(await call('POST', '/containers/sleeper/exec', { Cmd: ['true'] }));
      await call('POST', `/exec/${id}/start`, { Detach: true });
    },
  },
  'exec of what is not there': {
    cost: 4,
    round: async () => {
      const id = idOf(await call('POST', '/containers/sleeper/exec', { Cmd: ['/nothing'], AttachStdout: true }));
      const output = await stream('POST', `/exec/${id}/start`, {});
      await output.text();
    },
  },
  'create, start, wait, rm': {
    cost: 8,
    round: async () => {
      const id = await create({ ...NONE, Cmd: ['true'] });
      await call('POST', `/containers/${id}/start`);
      await call('POST', `/containers/${id}/wait`);
      await call('DELETE', `/containers/${id}`);
    },
  },
  'a start that fails': {
    cost: 8,
    round: async () => {
      const id = await create({ ...NONE, Cmd: ['/nothing'] });
      assert.equal((await apiCall(socketPath(), 'POST', `/containers/${id}/start`)).status, 400);
      await call('DELETE', `/containers/${id}`);
    },
  },
  load: { cost: 10, round: () => call('POST', '/images/load?quiet=1', archive) },
  info: { cost: 2, round: () => call('GET', '/info') },
};

for (const [verb, { cost, round }] of Object.entries(VERBS)) {
  test(`${verb}: nothing is held afterwards`, async () => {
    const count = Math.max(20, Math.ceil(ROUNDS / cost));
    // What is made once, at first use, is made now; as is what a bound keeps.
    await times(Math.min(count, 100), round);
    await settled();
    const start = held();
    await times(count, round);
    await eventually(
      `${verb}: as much as before; more of ${JSON.stringify(grown(start, held()))}`,
      () => Object.keys(grown(start, held())).length === 0,
      15_000,
    ).catch(() => assert.deepEqual(grown(start, held()), {}, `after ${count} rounds`));
    const perRound = (held().heapBytes - start.heapBytes) / count;
    if (count >= 100)
      assert.ok(perRound < KEPT_BYTES_A_ROUND, `${Math.round(perRound)} bytes a round stay in the heap`);
  });
}

test('a health check: nothing is held after its probes, and each keeps its last line', async () => {
  const probe = { Test: ['CMD-SHELL', 'echo probed; echo last'], Interval: 20_000_000, Timeout: 10_000_000_000 };
  const id = await create({ ...NONE, Cmd: ['sleep', '100000'], Healthcheck: probe });
  await call('POST', `/containers/${id}/start`);
  const outputs = new Map<string, string>();
  const probesSeen = async (wanted: number): Promise<boolean> => {
    const { State } = (await call('GET', `/containers/${id}/json`)).json<{
      State: { Health: { Log: { Start: string; Output: string }[] } };
    }>();
    for (const { Start, Output } of State.Health.Log) outputs.set(Start, Output);
    return outputs.size >= wanted;
  };
  await eventually('the first probes', () => probesSeen(5));
  const start = held();
  await eventually('many probes', () => probesSeen(Math.max(30, ROUNDS / 4)), 300_000);
  for (const output of outputs.values()) assert.equal(output, 'probed\nlast\n');
  await call('DELETE', `/containers/${id}?force=1`);
  await settled();
  assert.deepEqual(grown(start, held()), {});
});

/** Shims that have just ended are cleaned up in the background. */
async function settled(): Promise<void> {
  await eventually('one shim left', () => readdirSync(join(root, 'exec/shims')).length <= 1);
  await sleep(200);
}
