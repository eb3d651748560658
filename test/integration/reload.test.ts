// Owns SIGHUP: what of a changed daemon.json counts at once, and that a bad one changes nothing.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { run } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-reload-'));
const path = join(dir, 'daemon.json');
let daemon: Daemon;
before(async () => {
  writeFileSync(path, JSON.stringify({ labels: ['place=here'], mtu: 1400 }));
  daemon = await startDaemon({ args: ['--config-file', path] });
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** Writes the file and sends the signal; what the log says about it. */
async function reload(file: unknown): Promise<string> {
  const { length } = daemon.log();
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  process.kill(daemon.pid, 'SIGHUP');
  return eventually('the end of the reload', () => {
    const news = daemon.log().slice(length);
    return /was reloaded|Error reloading/.test(news) && news;
  });
}

interface Info {
  readonly Labels: readonly string[];
  readonly Debug: boolean;
  readonly LiveRestoreEnabled: boolean;
  readonly DefaultRuntime: string;
  readonly Runtimes: Readonly<Record<string, unknown>>;
  readonly RegistryConfig: { readonly Mirrors: readonly string[]; readonly InsecureRegistryCIDRs: readonly string[] };
}
const info = async (): Promise<Info> => (await daemon.api('GET', '/info')).json<Info>();
const reloads = async (): Promise<readonly Record<string, string>[]> => {
  const until = Date.now() / 1000;
  const { text } = await daemon.api('GET', `/events?since=0&until=${until}&filters={"event":["reload"]}`);
  const events = text.trim().split('\n').filter(Boolean);
  return events
    .map((line) => JSON.parse(line) as { Type: string; Actor: { Attributes: Record<string, string> } })
    .map(({ Actor }) => Actor.Attributes);
};

test('a reload takes what dockerd’s takes, without ending a container or a request', async () => {
  const { stdout: runc } = await run('sh', ['-c', 'command -v runc || command -v crun']);
  assert.equal((await daemon.docker('run', '-d', '--name', 'going', 'busybox', 'sleep', '1000')).code, 0);
  const was = await info();
  const waiting = daemon.docker('wait', 'going');
  const log = await reload({
    labels: ['place=there'],
    debug: true,
    mtu: 1300,
    'registry-mirrors': ['http://mirror.invalid'],
    'insecure-registries': ['10.9.0.0/16'],
    'max-concurrent-downloads': 7,
    'live-restore': false,
    'shutdown-timeout': 9,
    'default-shm-size': '8m',
    runtimes: { second: { path: runc.trim() } },
    'default-runtime': 'second',
    features: { buildkit: false },
  });
  assert.match(log, /level=warn msg="\\"mtu\\" changed: it counts when the daemon starts again"/);
  const now = await info();
  assert.deepEqual(
    [now.Labels, now.Debug, now.LiveRestoreEnabled, now.DefaultRuntime, now.RegistryConfig.Mirrors],
    [['place=there'], true, false, 'second', ['http://mirror.invalid/']],
  );
  assert.ok(now.RegistryConfig.InsecureRegistryCIDRs.includes('10.9.0.0/16'));
  assert.deepEqual(Object.keys(now.Runtimes).sort(), [...Object.keys(was.Runtimes), 'second'].sort());
  assert.match(log + daemon.log(), /level=debug/, 'the log has its new level');
  assert.equal((await daemon.api('GET', '/_ping')).headers['builder-version'], '1');
  const made = await daemon.docker('run', '--name', 'new', 'busybox', 'df', '/dev/shm');
  assert.match(made.stdout, /^shm +8192 /m);
  assert.equal((await daemon.docker('inspect', '-f', '{{.HostConfig.Runtime}}', 'new')).stdout, 'second\n');
  const [event, ...more] = await reloads();
  assert.deepEqual(more, []);
  assert.deepEqual(
    { ...event, name: '', 'default-cgroupns-mode': '' },
    {
      name: '',
      debug: 'true',
      'default-cgroupns-mode': '',
      'default-ipc-mode': 'private',
      'default-runtime': 'second',
      'default-shm-size': String(8 << 20),
      features: 'map[buildkit:false]',
      'insecure-registries': '["10.9.0.0/16"]',
      labels: '["place=there"]',
      'live-restore': 'false',
      'max-concurrent-downloads': '7',
      'max-concurrent-uploads': '5',
      'max-download-attempts': '5',
      'registry-mirrors': '["http://mirror.invalid/"]',
      runtimes: `second:${runc.trim()}`,
      'shutdown-timeout': '9',
    },
  );

  await reload({});
  const later = await info();
  assert.deepEqual(
    [later.Labels, later.DefaultRuntime, later.LiveRestoreEnabled],
    [['place=there'], 'second', false],
    'kept',
  );
  assert.equal((await daemon.api('GET', '/_ping')).headers['builder-version'], '2', 'features are not');
  assert.equal((await reloads())[1]?.['max-concurrent-downloads'], '3', 'nor are numbers of downloads');
  await reload({ debug: false, 'live-restore': true });
  assert.equal((await daemon.docker('kill', 'going')).code, 0);
  assert.equal((await waiting).stdout, '137\n');
});

test('a bad file is logged, and all goes on as it was', async () => {
  const was = await info();
  const events = (await reloads()).length;
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{"labels":', /unexpected end of JSON input/],
    [{ labels: ['x=y'], 'no-such-key': 1 }, /don't match any configuration option: no-such-key/],
    [{ labels: ['x=y'], 'default-runtime': 'zz' }, /specified default runtime 'zz' does not exist/],
    [
      { labels: ['x=y'], runtimes: { lost: { path: '/no/such/runtime' } }, 'default-runtime': 'lost' },
      /specified default runtime 'lost' does not exist/,
    ],
    [{ labels: ['x=y'], bip: '10.1.1.1/24' }, /specified both as a flag and in the configuration file: bip/],
  ];
  for (const [file, expected] of cases) {
    const log = await reload(file);
    assert.match(log, /level=error msg="Error reloading configuration" error=/);
    assert.match(log, expected);
  }
  const now = await info();
  assert.deepEqual([now.Labels, now.DefaultRuntime, now.Runtimes], [was.Labels, was.DefaultRuntime, was.Runtimes]);
  assert.equal((await reloads()).length, events, 'no event');
});
