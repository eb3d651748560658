// Owns what a bug of the daemon costs: the process, not the containers; and that it is reported.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { busybox } from '../fixtures/busybox.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

/** Makes the program throw where nobody catches, at SIGUSR2. */
const THROWS = `--import=data:text/javascript,${encodeURIComponent(
  'process.on("SIGUSR2", () => { throw new Error("a bug") })',
)}`;

test('after a bug the daemon ends with a report, and the next start goes on with its containers', async () => {
  await using daemon = await startDaemon({ env: { NODE_OPTIONS: THROWS }, hasBug: true });
  await daemon.load((await busybox()).archive);
  const { stdout } = await daemon.gantry('run', '-d', 'busybox', 'sh', '-c', 'while :; do sleep 1; done');
  const id = stdout.trim();
  const { pid } = daemon;
  process.kill(pid, 'SIGUSR2');
  await eventually('the end of the daemon', () => daemon.pid === 0);
  assert.equal(await daemon.stop(), 70);
  const folder = join(daemon.dataRoot, 'crashes');
  const [name = '', ...others] = readdirSync(folder);
  assert.deepEqual(others, []);
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  assert.deepEqual([report.program, report.error[0]], ['gantryd', 'Error: a bug']);
  assert.ok(report.log.some((line: string) => line.includes('the engine is ready')));
  assert.match(daemon.log(), new RegExp(`ended by a bug: Error: a bug.*${name}`));
  await daemon.start();
  assert.equal((await daemon.gantry('inspect', '-f', '{{.State.Running}}', id)).stdout, 'true\n');
  assert.equal((await daemon.gantry('exec', id, 'echo', 'here')).stdout, 'here\n');
});

test('the units of systemd are without mistakes, start what is there, and again after a bug', async (t) => {
  const root = join(import.meta.dirname, '../..');
  for (const program of ['gantryd', 'gantry-registry']) {
    const path = join(root, 'packaging/systemd', `${program}.service`);
    const unit = readFileSync(path, 'utf8');
    assert.match(unit, new RegExp(`^ExecStart=/usr/bin/${program}$`, 'm'));
    assert.ok(existsSync(join(root, 'bin', program)));
    assert.match(unit, /^Restart=always$/m);
    if (program === 'gantryd') assert.match(unit, /^KillMode=process$/m, 'shims outlive the daemon');
    const checked = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', path]).catch((error) => error);
    if (checked.code === 'ENOENT') t.diagnostic('no systemd-analyze here');
    // It also looks for the program, which is not installed here.
    else assert.doesNotMatch(String(checked.stderr).replace(/^.*is not executable.*$/gm, ''), /gantry/);
  }
});

test('a command tells where its time went, and the daemon logs the same trace', async () => {
  await using daemon = await startDaemon({ args: ['--debug'] });
  await daemon.load((await busybox()).archive);
  const { stderr, stdout, code } = await daemon.gantry('--trace', 'run', '--rm', 'busybox', 'echo', 'hi');
  assert.deepEqual([code, stdout], [0, 'hi\n']);
  const [, id = ''] = /^Trace ([0-9a-f]{32}) /.exec(stderr) ?? [];
  assert.ok(id, stderr);
  assert.match(stderr, /^ +0\.0 +\d+\.\d {2}gantry --trace run --rm busybox echo hi$/m);
  const [, start = ''] = stderr.split(/─ POST \/containers\/[0-9a-f]{64}\/start\n/);
  for (const part of ['mount-sources', 'shim', 'network', 'configure', 'runtime']) {
    assert.match(start, new RegExp(`[├└]─ ${part}(\n|$)`), stderr);
  }
  assert.match(daemon.log(), new RegExp(`Calling POST /v[0-9.]+/containers/create.*trace="${id}"`));
  const quiet = await daemon.gantry('run', '--rm', 'busybox', 'true');
  assert.equal(quiet.stderr, '');
  const plain = await daemon.api('GET', '/version');
  assert.equal(plain.headers['server-timing'], undefined);
});
