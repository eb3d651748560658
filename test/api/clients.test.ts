// Owns real clients against the API over the fake engine: the Docker CLI where it is installed, dockerode, a WebSocket.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { eventually } from '../support/patience.ts';
import { type FakeApi, startFakeApi } from './support/fake-api.ts';
import { ask } from './support/raw-http.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const hasDocker = spawnSync('docker', ['--version']).status === 0;

describe('the Docker CLI', { skip: hasDocker ? false : 'docker is not installed' }, () => {
  let api: FakeApi;
  before(async () => {
    api = await startFakeApi();
  });
  after(() => api.close());

  const docker = (args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Outcome> =>
    new Promise((resolve) => {
      const options = { env: { ...process.env, DOCKER_HOST: api.host, ...env }, timeout: 10_000 };
      const child = execFile('docker', args, options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
      child.stdin?.end(input);
    });

  it('runs a container, passes input, output and exit codes', async () => {
    assert.deepEqual(await docker(['run', '--rm', 'busybox', 'echo', 'hello']), {
      code: 0,
      stdout: 'hello\n',
      stderr: '',
    });
    assert.deepEqual(await docker(['run', '--rm', 'busybox', 'warn', 'oh']), { code: 0, stdout: '', stderr: 'oh\n' });
    assert.equal((await docker(['run', '--rm', 'busybox', 'exit', '7'])).code, 7);
    assert.equal((await docker(['run', '--rm', '-i', 'busybox', 'cat'], 'abc')).stdout, 'abc');
    const big = await docker(['run', '--rm', 'busybox', 'flood', '900000']);
    assert.equal(big.stdout.length, 900_000);
  });

  it('executes in a running container with every exit code', async () => {
    await docker(['run', '-d', '--name', 'api-cli', 'busybox', 'sleep', '100']);
    assert.equal((await docker(['exec', 'api-cli', 'echo', 'x'])).stdout, 'x\n');
    assert.equal((await docker(['exec', '-i', 'api-cli', 'cat'], 'in')).stdout, 'in');
    assert.equal((await docker(['exec', 'api-cli', 'exit', '3'])).code, 3);
    const missing = await docker(['exec', 'api-cli', 'nope']);
    assert.equal(missing.code, 127);
    assert.match((await docker(['ps'])).stdout, /busybox\s+"sleep 100"\s+.*Up .*api-cli/);
    assert.equal((await docker(['stop', 'api-cli'])).code, 0);
    assert.equal((await docker(['rm', 'api-cli'])).code, 0);
  });

  it('asks for what is missing as it does of dockerd', async () => {
    const inspect = await docker(['inspect', 'nope']);
    assert.deepEqual([inspect.code, inspect.stdout], [1, '[]\n']);
    assert.match(inspect.stderr, /No such object: nope/);
    assert.equal((await docker(['rm', 'nope'])).code, 1);
  });

  it('speaks every version from 1.24', async () => {
    for (const version of ['1.24', '1.30', '1.41', '1.44', '1.50']) {
      const outcome = await docker(['run', '--rm', 'busybox', 'echo', version], '', { DOCKER_API_VERSION: version });
      assert.equal(outcome.stdout, `${version}\n`, outcome.stderr);
      assert.match((await docker(['images'], '', { DOCKER_API_VERSION: version })).stdout, /busybox\s+latest/);
    }
  });

  it('pulls with progress, loads, saves and logs in', async () => {
    const pull = await docker(['pull', 'alpine']);
    assert.match(pull.stdout, /Pull complete[\s\S]*docker.io\/library\/alpine:latest/);
    assert.equal((await docker(['load'], 'x'.repeat(100_000))).stdout, 'Loaded image: bytes:100000\n');
    assert.match((await docker(['save', 'busybox'])).stdout, /^sha256:ae1594/);
  });
});

describe('dockerode', () => {
  let api: FakeApi;
  let docker: Docker;
  before(async () => {
    api = await startFakeApi();
    docker = new Docker({ socketPath: api.socketPath });
  });
  after(() => api.close());

  it('attaches, starts, waits and removes', async () => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    const stdout = new PassThrough();
    docker.modem.demuxStream(stream, stdout, new PassThrough());
    await container.start();
    stream.end('hello');
    const { StatusCode } = await container.wait();
    assert.equal(StatusCode, 0);
    await sleep(20);
    assert.equal(String(stdout.read()), 'hello');
    await container.remove();
    await assert.rejects(container.inspect(), { statusCode: 404 });
  });

  it('streams a pull and lists with filters', async () => {
    const stream = await docker.pull('alpine:3');
    const lines = await new Promise<{ status: string }[]>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
    });
    assert.equal(lines.at(-1)?.status, 'Status: Downloaded newer image for alpine:3');
    assert.deepEqual(await docker.listContainers({ all: true, filters: { name: ['api-none'] } }), []);
  });
});

describe('attach over WebSocket', () => {
  it('carries input and unframed output', async () => {
    const api = await startFakeApi();
    try {
      const body = '{"Image":"busybox","Cmd":["cat"]}';
      await ask(api.host, { method: 'POST', path: '/containers/create?name=api-ws', body });
      const socket = connect({ path: api.socketPath });
      socket.write(
        'GET /containers/api-ws/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      const received: Buffer[] = [];
      socket.on('data', (chunk) => received.push(chunk as Buffer));
      await eventually('the answer', () => received.length > 0);
      assert.match(Buffer.concat(received).toString(), /101 Switching Protocols[\s\S]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
      received.length = 0;
      await ask(api.host, { method: 'POST', path: '/containers/api-ws/start' });
      const mask = Buffer.from([1, 2, 3, 4]);
      const payload = Buffer.from('hi').map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      socket.write(Buffer.concat([Buffer.from([0x82, 0x82]), mask, payload]));
      await eventually('the echo', () => Buffer.concat(received).length >= 4);
      assert.deepEqual(Buffer.concat(received), Buffer.from([0x82, 2, 0x68, 0x69]));
      socket.destroy();
    } finally {
      await api.close();
    }
  });
});
