// Owns containers that share namespaces, limits that end them, and what inspect, logs and health tell of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busybox } from '../fixtures/busybox.ts';
import { PROGRAMS } from '../support/clis.ts';
import { run } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
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

const said = (...args: string[]) => daemon.gantry(...args);
const must = async (...args: string[]) => {
  const { code, stdout, stderr } = await said(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

test('--ipc shareable and container:X share /dev/shm, also across a restart of the daemon; private ones refuse', async () => {
  await must('run', '-d', '--name', 'donor', '--ipc', 'shareable', '--shm-size', '1m', 'busybox', 'sleep', '1000');
  await must('exec', 'donor', 'sh', '-c', 'echo shared > /dev/shm/word');
  const join = ['run', '--rm', '--ipc', 'container:donor', 'busybox'];
  assert.equal(await must(...join, 'cat', '/dev/shm/word'), 'shared');
  assert.match(await must(...join, 'df', '-k', '/dev/shm'), /\s1024\s/);
  await daemon.kill9();
  await daemon.start();
  assert.equal(await must(...join, 'cat', '/dev/shm/word'), 'shared');
  await must('run', '-d', '--name', 'hermit', 'busybox', 'sleep', '1000');
  const refused = await said('run', '--rm', '--ipc', 'container:hermit', 'busybox', 'true');
  assert.match(refused.stderr, /non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/);
  await must('stop', '-t', '0', 'donor');
  const late = await said(...join, 'true');
  assert.match(late.stderr, /failed to join IPC namespace: container [0-9a-f]{64} is not running/);
  await must('rm', '-f', 'donor', 'hermit');
});

test('--pid and --network container:X and host see what they are to see', async () => {
  await must('run', '-d', '--name', 'host1', '-h', 'named', 'busybox', 'sleep', '12345');
  assert.match(await must('run', '--rm', '--pid', 'container:host1', 'busybox', 'ps'), /sleep 12345/);
  const own = await must('exec', 'host1', 'ip', '-o', '-4', 'addr', 'show', 'eth0');
  const shared = ['run', '--rm', '--network', 'container:host1', 'busybox'];
  assert.equal(await must(...shared, 'ip', '-o', '-4', 'addr', 'show', 'eth0'), own);
  assert.equal(await must(...shared, 'cat', '/etc/hostname'), 'named');
  assert.match(await must('run', '--rm', '--pid', 'host', 'busybox', 'ps'), /gantryd/);
  assert.match(await must('run', '--rm', '--network', 'host', 'busybox', 'ip', 'link'), new RegExp(daemon.bridge));
  assert.doesNotMatch(await must('run', '--rm', '--network', 'none', 'busybox', 'ip', 'link'), /eth0/);
  await must('stop', '-t', '0', 'host1');
  const late = await said(...shared, 'true');
  assert.match(late.stderr, /cannot join network namespace of a non running container: container host1 is exited/);
  await must('rm', 'host1');
});

test('a container over its memory limit is told as such', async () => {
  await must('run', '-d', '--name', 'greedy', '--memory', '16m', 'busybox', 'tail', '/dev/zero');
  assert.equal(await must('wait', 'greedy'), '137');
  assert.equal(await must('inspect', '-f', '{{.State.OOMKilled}}', 'greedy'), 'true');
  const now = Date.now() / 1000;
  const filters = encodeURIComponent(JSON.stringify({ event: ['oom'], container: ['greedy'] }));
  const events = await daemon.api('GET', `/events?since=${now - 60}&until=${now}&filters=${filters}`);
  assert.match(events.text, /"Action":"oom"/);
  await must('rm', 'greedy');
});

test('rotated and compressed logs read as one, tails and all', async () => {
  const options = ['--log-opt', 'max-size=8k', '--log-opt', 'max-file=4', '--log-opt', 'compress=true'];
  const script = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done';
  await must('run', '--name', 'chatty', ...options, 'busybox', 'sh', '-c', script);
  const lines = (await must('logs', 'chatty')).split('\n');
  assert.equal(lines.at(-1), 'line 300');
  const first = Number(lines[0]?.split(' ')[1]);
  const unbroken = Array.from({ length: 301 - first }, (_, index) => `line ${first + index}`);
  assert.deepEqual(lines, unbroken, 'nothing missing between the first that is kept and the last');
  assert.equal(await must('logs', '--tail', '120', 'chatty'), unbroken.slice(-120).join('\n'));
  await must('rm', 'chatty');
});

test('a follower of a log that is rotated under it misses no line', async () => {
  const options = ['--log-opt', 'max-size=16k', '--log-opt', 'max-file=6'];
  const begin = 'echo line 0; while [ ! -e /go ]; do usleep 10000; done';
  const script = 'i=0; while [ $i -lt 6000 ]; do i=$((i+1)); echo line $i; [ $((i % 20)) = 0 ] && usleep 3000; done';
  await must('run', '-d', '--name', 'torrent', ...options, 'busybox', 'sh', '-c', `${begin}; ${script}; sleep 0.3`);
  await using log = follow(PROGRAMS.gantry, ['logs', '-f', 'torrent'], { DOCKER_HOST: daemon.host });
  await log.until('line 0\n');
  await must('exec', 'torrent', 'touch', '/go');
  assert.equal(await log.ended, 0);
  const wanted = Array.from({ length: 6001 }, (_, index) => `line ${index}\n`);
  assert.deepEqual(log.output.split(/(?<=\n)/), wanted);
  await must('rm', 'torrent');
});

test('health goes from starting over unhealthy to healthy, and probes leave nothing behind', async () => {
  const check = ['--health-cmd', 'test -e /well', '--health-interval', '100ms', '--health-retries', '2'];
  await must('run', '-d', '--name', 'patient', ...check, 'busybox', 'sleep', '1000');
  const health = () => must('inspect', '-f', '{{.State.Health.Status}}', 'patient');
  await eventually('unhealthy', async () => (await health()) === 'unhealthy');
  await must('exec', 'patient', 'touch', '/well');
  await eventually('healthy', async () => (await health()) === 'healthy');
  await must('rm', '-f', 'patient');
});

test('the example program runs a container in its own process', async () => {
  const example = fileURLToPath(new URL('../../examples/run-in-process.ts', import.meta.url));
  const { archive } = await busybox();
  const env = { NODE_TEST_CONTEXT: undefined };
  const outcome = await run(process.execPath, ['--disable-warning=ExperimentalWarning', example, archive], { env });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /^hello from [0-9a-f]{12}, world\nTYPED OPTIONS\nexit code 3\n$/);
});
