// A registry starts where strangers put it, and says in words when it cannot or when clients will be refused.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/addresses.ts';
import { eventually } from '../support/patience.ts';
import { scratch } from './support/registry.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/gantry-registry', import.meta.url));
/** Any but ours. */
const SOMEBODY = 65_534;
/** Runs a program as somebody who may write only what is their own. */
const WITHOUT_POWERS = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search,-fowner', '--'];

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

class Started implements AsyncDisposable {
  text = '';
  readonly #child;
  readonly ended: Promise<Ended>;

  constructor(
    args: readonly string[],
    { env = {}, isPlain = false }: { env?: Record<string, string>; isPlain?: boolean } = {},
  ) {
    const [program = '', ...words] = [...(isPlain ? WITHOUT_POWERS : []), PROGRAM, ...args];
    const child = spawn(program, words, {
      env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => {
        this.text += String(piece);
      });
    this.#child = child;
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, text: this.text })));
  }

  async listens(): Promise<this> {
    await eventually('it listens', () => {
      if (this.#child.exitCode !== null) throw new Error(this.text);
      return this.text.includes('the registry listens');
    });
    return this;
  }

  /** The far end of its output and log from now on. */
  stopReading(how: 'stalls' | 'goes away'): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) how === 'stalls' ? stream.pause() : stream.destroy();
  }

  /** Processor time that it took so far. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Ends it as a service manager does; its exit code. */
  async end(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.resume();
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }
}

/** Whether something answers at an address. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test('beside a Kubernetes service called registry it starts, and names what it passes over', async () => {
  using folder = scratch();
  const port = await freePort();
  const env = {
    REGISTRY_PORT: 'tcp://10.0.0.1:5000',
    REGISTRY_SERVICE_HOST: '10.0.0.1',
    REGISTRY_PORT_5000_TCP_PROTO: 'tcp',
    REGISTRY_STORAGE: 'filesystem',
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: folder.path,
    GANTRY_REGISTRY_SERVICE_HOST: '10.0.0.2',
    GANTRY_REGISTRY_PORT: 'tcp://10.0.0.2:5000',
  };
  await using started = await new Started(['serve', '--addr', `127.0.0.1:${port}`], { env }).listens();
  assert.match(started.text, /variable REGISTRY_PORT means nothing here and is passed over/);
  assert.doesNotMatch(started.text, /GANTRY_REGISTRY_PORT/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/v2/`)).status, 200);
});

test('an address without a host is every address, of IPv4 and IPv6; who may push there is said at the start', async () => {
  using folder = scratch();
  const port = await freePort();
  await using started = await new Started(['serve', '--addr', `:${port}`, '--root', folder.path]).listens();
  assert.deepEqual([await answers('127.0.0.1', port), await answers('::1', port)], [true, true]);
  assert.match(
    started.text,
    /everybody may pull, and nobody may push: there are no accounts; --htpasswd FILE .*--anonymous push/,
  );
  const push = await fetch(`http://127.0.0.1:${port}/v2/app/blobs/uploads/`, { method: 'POST' });
  assert.equal(push.status, 403);
  assert.match(await push.text(), /this registry has no accounts.*access\.anonymous/);
});

test('accounts without an admin are told of', async () => {
  using folder = scratch();
  writeFileSync(join(folder.path, 'htpasswd'), '');
  const args = ['serve', '--addr', '127.0.0.1:0', '--root', folder.path, '--htpasswd', join(folder.path, 'htpasswd')];
  await using started = await new Started(args).listens();
  assert.match(started.text, /nobody administers this registry: --admin NAME/);
});

test('a root that cannot be used is told of in one line, without a stack and without an end', {
  timeout: 30_000,
}, async () => {
  using folder = scratch();
  const theirs = join(folder.path, 'theirs');
  mkdirSync(theirs, { mode: 0o755 });
  chownSync(theirs, SOMEBODY, SOMEBODY);
  const taken = join(folder.path, 'file');
  writeFileSync(taken, '');
  const broken = join(folder.path, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'registry.db'), 'this is no database at all, whatever its name says '.repeat(50));
  for (const root of ['/proc/x', '/proc/self/x/y', '/dev/null/x', taken, broken, theirs, join(theirs, 'a', 'b')]) {
    for (const command of ['serve', 'gc']) {
      const { code, text } = await new Started([command, '--root', root], { isPlain: true }).ended;
      assert.equal(code, 1, `${command} ${root}: ${text}`);
      assert.match(text, /^gantry-registry: cannot use the root .*\(--root\): /m, root);
      assert.doesNotMatch(text, /^\s+at /m, root);
      if (root.startsWith(theirs)) assert.match(text, /permission denied.*choose a folder that this user may write/);
    }
  }
});

test('a reader of the log that stalls or goes away costs log lines, not the registry', {
  timeout: 60_000,
}, async () => {
  for (const kind of ['stalls', 'goes away'] as const) {
    using folder = scratch();
    const port = await freePort();
    const args = ['serve', '--addr', `127.0.0.1:${port}`, '--root', folder.path, '--log-level', 'debug'];
    await using started = await new Started(args).listens();
    started.stopReading(kind);
    // A pipe holds 64 KiB; this writes ten times that to the access log.
    const path = `/v2/${'a'.repeat(200)}/${'b'.repeat(1500)}`;
    for (let i = 0; i < 400; i++) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) });
      await answer.arrayBuffer();
    }
    assert.equal((await fetch(`http://127.0.0.1:${port}/v2/`)).status, 200, kind);
    const before = started.cpuMs();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(started.cpuMs() - before < 250, `${kind}: it spins`);
    assert.equal(await started.end(), 0, kind);
  }
});

test('a wrong key, flag or variable is named by the program itself', async () => {
  for (const [args, env, words] of [
    [['--addr', 'nowhere'], {}, /--addr: the address "nowhere" is not HOST:PORT/],
    [[], { GANTRY_REGISTRY_ADDR: 'nowhere' }, /GANTRY_REGISTRY_ADDR: the address/],
    [
      [],
      { GANTRY_REGISTRY_HTPASWD: '/x' },
      /no variable GANTRY_REGISTRY_HTPASWD; did you mean GANTRY_REGISTRY_HTPASSWD\?/,
    ],
    [[], { REGISTRY_HTTP_ADDR: 'nowhere' }, /REGISTRY_HTTP_ADDR \(http\.addr\): the address/],
    [
      ['--tls-cert', '/nowhere', '--tls-key', '/nowhere'],
      {},
      /http\.tls \(--tls-cert, --tls-key\): open \/nowhere: no such file or directory/,
    ],
    [['--addr', '192.0.2.1:1'], {}, /cannot listen on 192\.0\.2\.1:1 \(--addr, http\.addr\)/],
  ] as const) {
    using folder = scratch();
    const { code, text } = await new Started(['serve', '--root', folder.path, ...args], { env }).ended;
    assert.equal(code, 1, text);
    assert.match(text, words);
    assert.doesNotMatch(text, /^\s+at /m);
  }
});
