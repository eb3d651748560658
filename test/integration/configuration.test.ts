// Owns what an administrator's flags and daemon.json do to the containers and clients of a daemon.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import { busybox } from '../fixtures/busybox.ts';
import { imageOf, layerOf, tarOf } from '../images/support.ts';
import { run } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

const GANTRYD = fileURLToPath(new URL('../../bin/gantryd', import.meta.url));
const PARENT = `gantry-test-parent-${process.pid}`;
const dir = mkdtempSync(join(tmpdir(), 'gantry-configuration-'));
let archive: string;
before(async () => {
  archive = (await busybox()).archive;
});
after(() => {
  rmSync(dir, { recursive: true, force: true });
  // Named by the administrator, so nobody's to remove but his.
  const hierarchies = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of [{ name: '' }, ...hierarchies]) {
    const cgroup = join('/sys/fs/cgroup', name, PARENT);
    if (existsSync(cgroup)) rmdirSync(cgroup);
  }
});

/** A daemon with that daemon.json and those flags, with busybox. */
async function configured(file: unknown, ...flags: string[]): Promise<Daemon> {
  const path = join(dir, `${Math.random()}.json`);
  writeFileSync(path, JSON.stringify(file));
  const daemon = await startDaemon({ args: ['--config-file', path, ...flags] });
  await daemon.load(archive);
  return daemon;
}

async function say(daemon: Daemon, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

const inspect = async <T>(daemon: Daemon, name: string): Promise<T> =>
  JSON.parse(await say(daemon, 'inspect', name))[0];

test('what a daemon.json gives to containers by default reaches them, and what they ask for wins', async () => {
  await using daemon = await configured({
    dns: ['192.0.2.53'],
    'dns-search': ['corp.example'],
    'dns-opts': ['ndots:3'],
    'host-gateway-ips': ['192.0.2.1'],
    'default-ulimits': { nofile: { Name: 'nofile', Soft: 100, Hard: 200 }, core: { Soft: 5120, Hard: 6144 } },
    'default-shm-size': '32m',
    'default-ipc-mode': 'shareable',
    'default-cgroupns-mode': 'private',
    'cgroup-parent': `/${PARENT}`,
    'no-new-privileges': true,
    init: true,
    'default-stop-timeout': 1,
    mtu: 1400,
    ip: '127.0.0.1',
    'log-opts': { 'max-size': '1m' },
  });
  const script = 'cat /etc/resolv.conf /etc/hosts; ulimit -n; ulimit -c; cat /proc/1/comm; trap "" TERM; sleep 100';
  const ask =
    'df /dev/shm | tail -1; grep NoNewPrivs /proc/self/status; cat /proc/self/cgroup; cat /sys/class/net/eth0/mtu';
  await say(
    daemon,
    ...['run', '-d', '--name', 'plain', '-p', '80', '--add-host', 'gate:host-gateway'],
    'busybox',
    'sh',
    '-c',
    script,
  );
  const said = `${await say(daemon, 'logs', 'plain')}\n${await say(daemon, 'exec', 'plain', 'sh', '-c', ask)}`;
  for (const expected of [
    /^nameserver 192\.0\.2\.53$/m,
    /^search corp\.example$/m,
    /^options ndots:3$/m,
    /^192\.0\.2\.1\tgate$/m,
    /^100\n10\ndocker-init$/m,
    /^shm +32768 /m,
    /^NoNewPrivs:\t1$/m,
    /^\d+:pids:\/$|^0::\/$/m,
    /^1400$/m,
  ]) {
    assert.match(said, expected);
  }
  type Shown = { HostConfig: Record<string, unknown>; State: { Pid: number }; NetworkSettings: { Ports: unknown } };
  const { HostConfig: host, State, NetworkSettings } = await inspect<Shown>(daemon, 'plain');
  assert.deepEqual(
    [host.IpcMode, host.CgroupnsMode, host.ShmSize, host.Dns, host.LogConfig],
    ['shareable', 'private', 32 << 20, [], { Type: 'json-file', Config: { 'max-size': '1m' } }],
  );
  assert.match(readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8'), new RegExp(`:/${PARENT}/[0-9a-f]{64}$`, 'm'));
  assert.match(
    JSON.stringify(NetworkSettings.Ports),
    /^\{"80\/tcp":\[\{"HostIp":"127\.0\.0\.1","HostPort":"\d+"\}\]\}$/,
  );
  const before = Date.now();
  await say(daemon, 'stop', 'plain');
  assert.ok(Date.now() - before < 8000, 'stopped after a second, not ten');

  const own = [
    '--dns',
    '192.0.2.54',
    '--dns-search',
    'own.example',
    '--dns-option',
    'ndots:1',
    '--ulimit',
    'nofile=50',
  ];
  const more = [
    '--shm-size',
    '16m',
    '--ipc',
    'private',
    '--cgroupns',
    'host',
    '--init=false',
    '--security-opt',
    'no-new-privileges=false',
  ];
  const ownSaid = await say(
    daemon,
    'run',
    '--rm',
    ...own,
    ...more,
    'busybox',
    'sh',
    '-c',
    `cat /etc/resolv.conf; ulimit -n; ulimit -c; ${ask}; cat /proc/1/comm`,
  );
  for (const expected of [
    /^nameserver 192\.0\.2\.54$/m,
    /^search own\.example$/m,
    /^options ndots:1$/m,
    /^50\n10$/m,
    /^shm +16384 /m,
    /^NoNewPrivs:\t0$/m,
    new RegExp(`/${PARENT}/`),
    /^cat$/m,
  ]) {
    assert.match(ownSaid, expected);
  }
  const { Options: bridge } = await inspect<{ Options: Record<string, string> }>(daemon, 'bridge');
  assert.equal(bridge['com.docker.network.driver.mtu'], '1400');
  assert.equal(bridge['com.docker.network.bridge.host_binding_ipv4'], '127.0.0.1');
});

test('a seccomp profile of the daemon is everybody’s who brings none; an init of the daemon runs theirs', async () => {
  const profile = join(dir, 'seccomp.json');
  const mkdir = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' };
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [mkdir] }));
  const init = join(dir, 'own-init');
  writeFileSync(init, '#!/bin/sh\necho "init $*"\nshift\nexec "$@"\n', { mode: 0o755 });
  await using daemon = await configured({ 'seccomp-profile': profile, 'init-path': init });
  const attempt = (...flags: string[]) => daemon.docker('run', '--rm', ...flags, 'busybox', 'mkdir', '/new');
  assert.match((await attempt()).stderr, /can't create directory '\/new': Operation not permitted/);
  assert.equal((await attempt('--privileged')).code, 0);
  assert.equal((await attempt('--security-opt', 'seccomp=unconfined')).code, 0);
  assert.equal((await attempt('--security-opt', 'seccomp=builtin')).code, 0);
  const info = JSON.parse(await say(daemon, 'info', '--format', '{{json .}}'));
  assert.deepEqual(info.SecurityOptions, [`name=seccomp,profile=${profile}`]);
  assert.equal(info.InitBinary, init);
  assert.equal(await say(daemon, 'run', '--rm', '--init', 'busybox', 'echo', 'hello'), 'init -- echo hello\nhello');
});

test('an ordinary daemon.json starts, and the log names what does nothing', async () => {
  await using daemon = await configured(
    {
      'exec-opts': ['native.cgroupdriver=systemd'],
      'storage-driver': 'btrfs',
      'log-driver': 'json-file',
      features: { buildkit: false, 'containerd-snapshotter': true },
      builder: { gc: { enabled: true, defaultKeepStorage: '20GB' } },
      'log-format': 'json',
      experimental: true,
      group: 'root',
      'max-concurrent-uploads': 7,
      'min-api-version': '1.44',
    },
    ...['--cdi-spec-dir', '/etc/cdi', '--icc=false', '--ip-masq=false'],
  );
  const entries = daemon
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string });
  const warnings = entries.filter(({ level }) => level === 'warn').map(({ msg }) => msg.split(':', 1)[0]);
  assert.deepEqual(warnings.sort(), [
    '"builder" does nothing',
    '"cdi-spec-dirs" does nothing',
    '"exec-opts" does nothing',
    '"max-concurrent-uploads" does nothing',
    '"storage-driver" does nothing',
  ]);
  const ping = await daemon.api('GET', '/_ping');
  assert.deepEqual([ping.headers['builder-version'], ping.headers['docker-experimental']], ['1', 'true']);
  assert.match(
    (await daemon.api('GET', '/v1.43/info')).text,
    /client version 1\.43 is too old\. Minimum supported API version is 1\.44,/,
  );
  assert.equal((await daemon.api('GET', '/v1.44/version')).json().MinAPIVersion, '1.44');
  const { Options: bridge } = await inspect<{ Options: Record<string, string> }>(daemon, 'bridge');
  assert.equal(bridge['com.docker.network.bridge.enable_icc'], 'false');
  assert.equal(bridge['com.docker.network.bridge.enable_ip_masquerade'], 'false');
});

test('with live-restore off containers end with the daemon, in their own way, and come back by their policies', async () => {
  await using daemon = await configured(
    { 'live-restore': false, 'shutdown-timeout': 3 },
    '--default-stop-timeout',
    '2',
  );
  await say(
    daemon,
    'run',
    '-d',
    '--name',
    'polite',
    'busybox',
    'sh',
    '-c',
    'trap "echo bye; exit 3" TERM; while :; do sleep 0.1; done',
  );
  await say(
    daemon,
    'run',
    '-d',
    '--name',
    'stubborn',
    'busybox',
    'sh',
    '-c',
    'trap "" TERM; while :; do sleep 0.1; done',
  );
  await say(
    daemon,
    'run',
    '-d',
    '--name',
    'lasting',
    '--restart',
    'always',
    '--stop-signal',
    'KILL',
    'busybox',
    'sleep',
    '1000',
  );
  assert.equal(await daemon.stop(), 0);
  await daemon.start();
  const state = (name: string) => say(daemon, 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);
  assert.equal(await state('polite'), 'exited 3');
  assert.equal(await say(daemon, 'logs', 'polite'), 'bye');
  assert.equal(await state('stubborn'), 'exited 137');
  assert.equal(await state('lasting'), 'running 0');
});

test('registries are reached through the proxies of daemon.json, as often as it says', async () => {
  const asked: string[] = [];
  await using registry = await openFakeRegistry();
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await using daemon = await configured({
      proxies: {
        'http-proxy': url.replace('://', '://user:secret@'),
        'https-proxy': url,
        'no-proxy': 'direct.invalid',
      },
      'max-download-attempts': 1,
      'registry-mirrors': ['http://mirror.invalid'],
    });
    const layer = layerOf(tarOf({ name: 'file', data: 'x'.repeat(10_000) }));
    registry.push('cut', 'latest', imageOf([layer]));
    registry.misbehave = (request, response) => {
      if (!request.url?.endsWith(layer.blobDigest)) return false;
      response.writeHead(200, { 'Content-Length': layer.blob.length }).write(layer.blob.subarray(0, 5));
      setTimeout(() => response.destroy(), 50);
      return true;
    };
    assert.equal((await daemon.docker('pull', `${registry.host}/cut`)).code, 1);
    assert.equal(registry.seen.filter(({ url: path }) => path.endsWith(layer.blobDigest)).length, 1, 'one attempt');
    await daemon.docker('pull', 'proxied.invalid/x');
    await daemon.docker('pull', 'direct.invalid/x');
    await daemon.docker('pull', 'busybox:other');
    assert.ok(
      asked.some((line) => line === 'CONNECT proxied.invalid:443'),
      asked.join('\n'),
    );
    assert.ok(
      asked.some((line) => line.startsWith('GET http://mirror.invalid/v2/')),
      asked.join('\n'),
    );
    assert.ok(!asked.some((line) => line.includes('direct.invalid')), asked.join('\n'));
    const info = JSON.parse(await say(daemon, 'info', '--format', '{{json .}}'));
    assert.equal(info.HttpProxy, url.replace('://', '://xxxxx:xxxxx@'));
    assert.deepEqual([info.HttpsProxy, info.NoProxy], [url, 'direct.invalid']);
  } finally {
    proxy.close();
  }
});

test('what is wrong with a configuration is one line in dockerd’s words, and the daemon does not start', async () => {
  const roots = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'run'), '--bridge', 'none'];
  const cases: readonly (readonly [string[], string])[] = [
    [['--bip', 'foo'], 'parse bip failed: invalid CIDR address: foo'],
    [
      ['--seccomp-profile', '/no/such/file'],
      'opening seccomp profile (/no/such/file) failed: open /no/such/file: no such file or directory',
    ],
    [['--log-opt', 'x=y'], "failed to set log opts: unknown log opt 'x' for json-file log driver"],
    [['--group', 'no-such-group'], 'group no-such-group not found'],
    [['--default-runtime', 'zz'], "specified default runtime 'zz' does not exist"],
    [
      ['--userns-remap', 'default'],
      '"userns-remap" is not supported: containers get no user namespace yet: their root is the root of this machine',
    ],
    [['--min-api-version', '1.12'], 'invalid min-api-version: minimum supported API version is 1.24: 1.12'],
    [
      ['-H', 'tcp://0.0.0.0:0'],
      'tcp://0.0.0.0:0 would give root on this machine to everyone who can reach it; use --tlsverify with certificates, or allow it with --tls=false',
    ],
  ];
  for (const [flags, expected] of cases) {
    const env = { NODE_TEST_CONTEXT: undefined };
    const { code, stderr } = await run(GANTRYD, [...roots, ...flags], { env, timeoutMs: 15_000 });
    assert.deepEqual([code, stderr], [1, `gantryd: ${expected}\n`]);
  }
});

test('--ip-forward=false leaves the host’s forwarding as it is', async () => {
  const inOwnNetwork = join(dir, 'gantryd');
  const off = 'echo 0 > /proc/sys/net/ipv4/ip_forward';
  const text = `#!/bin/sh\nexec unshare --net sh -c '${off}; exec ${GANTRYD} "$@"' sh "$@"\n`;
  writeFileSync(inOwnNetwork, text, { mode: 0o755 });
  for (const [args, forwarding] of [
    [['--ip-forward=false'], '0'],
    [[], '1'],
  ] as const) {
    await using daemon = await startDaemon({ program: inOwnNetwork, args });
    const inside = ['--target', String(daemon.pid), '--net', 'cat', '/proc/sys/net/ipv4/ip_forward'];
    assert.equal((await run('nsenter', inside)).stdout.trim(), forwarding, args.join());
  }
});
