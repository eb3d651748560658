// Owns what is measured of an engine with the Docker CLI and with its API. The same rows for every engine.

import { Agent, request } from 'node:http';
import { docker, type Row, type Target } from './command.ts';

export const IMAGE = 'busybox:latest';
const SLEEP = ['sleep', '100000'];
const LINES_SCRIPT = 'i=0; while [ $i -lt 200000 ]; do echo line $i of a log that is read back; i=$((i+1)); done';
const HUNDRED_MB = 'yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 100000000';

const removeAll = (target: Target, names: readonly string[]): Promise<string> =>
  docker(target, ['rm', '-f', '-v', ...names]);
const each = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

/** `want`: how many times faster than dockerd the row shall be; absent where no aim was set. */
export interface WantedRow extends Row {
  readonly want?: number;
}

/** Every row; most are measured `runs` times, slow ones less often and fast ones more often. */
export function rows(runs: number): readonly WantedRow[] {
  const half = Math.ceil(runs / 2);
  return [
    { name: 'run --rm (bridge)', want: 4, runs, ...cli('run', '--rm', IMAGE, 'true') },
    { name: 'run --rm --network none', runs, ...cli('run', '--rm', '--network', 'none', IMAGE, 'true') },
    { name: 'exec true', want: 2.5, runs, ...execTrue() },
    { name: 'run --rm (bridge), after 300 ms of quiet', runs, quietMs: 300, ...cli('run', '--rm', IMAGE, 'true') },
    { name: 'exec true, after 300 ms of quiet', runs, quietMs: 300, ...execTrue() },
    { name: 'ten parallel run --rm', want: 4, runs: half, ...tenRuns() },
    { name: 'stop -t 0 + start', want: 3, runs, ...stopAndStart() },
    { name: 'run -d -p 80 + rm -f', runs, ...publishedPort() },
    { name: 'create + rm, kept-alive API connection', want: 3, runs: runs * 3, work: createAndRemove },
    { name: 'ps -a, 100 containers', want: 1, runs, ...listHundred() },
    { name: '100 MB of log written through', want: 2, runs: Math.ceil(runs / 3), ...shell(HUNDRED_MB) },
    { name: 'logs of 200k lines', want: 2, runs: half, ...readLogs() },
  ];
}

/** What a row does, without its name and numbers. */
type Steps = Pick<Row, 'work' | 'before' | 'after'>;

/** One command of the Docker CLI. */
function cli(...args: readonly string[]): Steps {
  return { work: async (target) => void (await docker(target, args)) };
}

/** One shell script in a fresh container. */
function shell(script: string): Steps {
  return cli('run', '--rm', IMAGE, 'sh', '-c', script);
}

/** `work` on a sleeping container that lives as long as the row. */
function onSleeper(name: string, work: (target: Target) => Promise<unknown>): Steps {
  return {
    before: async (target) => void (await docker(target, ['run', '-d', '--name', name, IMAGE, ...SLEEP])),
    work: async (target) => void (await work(target)),
    after: async (target) => void (await removeAll(target, [name])),
  };
}

function execTrue(): Steps {
  return onSleeper('bench-exec', (target) => docker(target, ['exec', 'bench-exec', 'true']));
}

function stopAndStart(): Steps {
  return onSleeper('bench-stop', async (target) => {
    await docker(target, ['stop', '-t', '0', 'bench-stop']);
    await docker(target, ['start', 'bench-stop']);
  });
}

function tenRuns(): Steps {
  return { work: async (target) => void (await each(10, () => docker(target, ['run', '--rm', IMAGE, 'true']))) };
}

function publishedPort(): Steps {
  return {
    work: async (target, run) => {
      await docker(target, ['run', '-d', '-p', '80', '--name', `bench-port${run}`, IMAGE, ...SLEEP]);
      await removeAll(target, [`bench-port${run}`]);
    },
  };
}

function listHundred(): Steps {
  const names = Array.from({ length: 100 }, (_, n) => `bench-ps${n}`);
  return {
    before: async (target) => {
      for (const name of names) await docker(target, ['create', '--name', name, IMAGE, 'true']);
    },
    work: async (target) => void (await docker(target, ['ps', '-a'])),
    after: async (target) => void (await removeAll(target, names)),
  };
}

function readLogs(): Steps {
  return {
    before: async (target) =>
      void (await docker(target, ['run', '--name', 'bench-logs', IMAGE, 'sh', '-c', LINES_SCRIPT])),
    work: async (target) => void (await docker(target, ['logs', 'bench-logs'])),
    after: async (target) => void (await removeAll(target, ['bench-logs'])),
  };
}

const agents = new Map<string, Agent>();

async function createAndRemove(target: Target): Promise<void> {
  const created = await call(target, 'POST', '/v1.51/containers/create', { Image: IMAGE, Cmd: ['true'] });
  const { Id } = JSON.parse(created) as { Id: string };
  await call(target, 'DELETE', `/v1.51/containers/${Id}`);
}

function call(target: Target, method: string, path: string, body?: object): Promise<string> {
  let agent = agents.get(target.name);
  if (!agent) {
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.set(target.name, agent);
  }
  const text = body ? JSON.stringify(body) : '';
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  const socketPath = target.host.slice('unix://'.length);
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, agent, method, path, headers }, (answer) => {
      let out = '';
      answer.on('data', (chunk) => {
        out += chunk;
      });
      answer.once('end', () => {
        if ((answer.statusCode ?? 500) < 400) resolve(out);
        else reject(new Error(`${method} ${path} on ${target.name}: ${answer.statusCode} ${out}`));
      });
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
