// Owns: tests of attach: framing, stdin, back-pressure, throughput. Refuses: ttys (tty.test.ts) and log files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSpawner } from './begin.ts';
import { Attach, alive, Control, encode, exists, pause, readText, unframe } from './link.ts';

const { begin } = withSpawner();

test('output of both streams reaches an attacher that came before the start, framed', async (t) => {
  const { dir, control } = await begin(t, 'echo out; echo err >&2; echo more');
  const attach = new Attach(dir, { stdout: true, stderr: true });
  await attach.ready;
  await control.command('start');
  await attach.ended;
  const { stdout, stderr } = unframe(attach.bytes);
  assert.equal(stdout.toString(), 'out\nmore\n');
  assert.equal(stderr.toString(), 'err\n');
});

test('an attacher gets only the streams it asked for', async (t) => {
  const { dir, control } = await begin(t, 'echo out; echo err >&2');
  const only = new Attach(dir, { stderr: true });
  const none = new Attach(dir, {});
  await Promise.all([only.ready, none.ready]);
  await control.command('start');
  await Promise.all([only.ended, none.ended]);
  assert.equal(unframe(only.bytes).stdout.length, 0);
  assert.equal(unframe(only.bytes).stderr.toString(), 'err\n');
  assert.equal(none.length, 0);
});

test('what the runtime itself prints before it succeeds is not lost, and a late attacher gets what comes later', async (t) => {
  const { dir, control } = await begin(t, 'read a; echo "got $a"; read b; echo "got $b"', [['stdin', 'open']]);
  const first = new Attach(dir, { stdin: true, stdout: true });
  await first.ready;
  await control.command('start');
  first.socket.write('one\n');
  await first.until((bytes) => bytes.includes('got one\n'));
  const second = new Attach(dir, { stdin: true, stdout: true });
  await second.ready;
  second.socket.write('two\n');
  await second.ended;
  assert.equal(unframe(second.bytes).stdout.toString(), 'got two\n');
  await first.ended;
  assert.equal(unframe(first.bytes).stdout.toString(), 'got one\ngot two\n');
});

test('stdin written before the start arrives, and a half-close without stdin-once leaves the process its stdin', async (t) => {
  const { dir, control } = await begin(t, 'read a; echo "got $a"; read b && echo "got $b"', [['stdin', 'open']]);
  const first = new Attach(dir, { stdin: true, stdout: true });
  await first.ready;
  first.socket.end('early\n');
  await control.command('start');
  await first.until((bytes) => bytes.includes('got early\n'));
  const second = new Attach(dir, { stdin: true });
  await second.ready;
  second.socket.write('late\n');
  await first.ended;
  assert.equal(unframe(first.bytes).stdout.toString(), 'got early\ngot late\n');
});

test('with stdin-once the end of the first attacher ends the process stdin, and all it sent arrives', async (t) => {
  const { dir, control } = await begin(t, 'sha1sum', [
    ['stdin', 'open'],
    ['stdin-once', 1],
  ]);
  const data = Buffer.alloc(3_000_000, 'abcdefghijk');
  const attach = new Attach(dir, { stdin: true, stdout: true });
  await attach.ready;
  attach.socket.end(data);
  await control.command('start');
  await attach.ended;
  assert.equal(unframe(attach.bytes).stdout.toString().slice(0, 40), createHash('sha1').update(data).digest('hex'));
});

test('a client that sends and wholly closes has what it sent delivered', async (t) => {
  const { dir, control } = await begin(t, 'sleep 0.2; sha1sum > sum', [
    ['stdin', 'open'],
    ['stdin-once', 1],
  ]);
  const data = Buffer.alloc(150_000, 'xyz');
  const socket = connect(join(dir, 'sock'));
  socket.write(
    encode([
      ['op', 'attach'],
      ['stdin', 1],
      ['stdout', 1],
    ]),
  );
  await new Promise<void>((resolve) => socket.write(data, () => resolve()));
  const other = new Control(dir);
  await control.command('start');
  await pause(50);
  socket.destroy();
  await other.event('exited');
  assert.equal(readText(dir, 'sum').slice(0, 40), createHash('sha1').update(data).digest('hex'));
});

test('a command can close stdin, and a process that closes its own does not hurt', async (t) => {
  const closed = await begin(t, 'cat; exit 3', [
    ['stdin', 'open'],
    ['auto-start', 1],
  ]);
  await closed.control.event('started');
  assert.equal((await closed.control.command('close-stdin')).ok, '1');
  assert.equal((await closed.control.event('exited')).code, '3');
  const deaf = await begin(t, 'exec 0<&-; sleep 0.2; exit 4', [['stdin', 'open']]);
  await deaf.control.command('start');
  const attach = new Attach(deaf.dir, { stdin: true, stdout: true });
  await attach.ready;
  attach.socket.write(Buffer.alloc(500_000));
  assert.equal((await deaf.control.event('exited')).code, '4');
  await attach.ended;
});

test('without stdin the process reads end of file', async (t) => {
  const { control } = await begin(t, 'cat; exit 6');
  await control.command('start');
  assert.equal((await control.event('exited')).code, '6');
});

test('an attacher that does not read holds the process back, and loses nothing when it reads again', async (t) => {
  const total = 8_000_000;
  const { dir, control } = await begin(t, `head -c ${total} /dev/zero; echo x > done`, [['stdin', 'none']]);
  const attach = new Attach(dir, { stdout: true });
  const other = new Attach(dir, { stdout: true });
  await Promise.all([attach.ready, other.ready]);
  attach.socket.pause();
  await control.command('start');
  await control.event('started');
  let before = -1;
  while (before !== other.length) {
    before = other.length;
    await pause(100);
  }
  assert.ok(before > 1_000_000 && before < 2_500_000, `held back at ${before}`);
  assert.equal(exists(dir, 'done'), false);
  attach.socket.resume();
  await Promise.all([attach.ended, other.ended]);
  assert.equal(unframe(attach.bytes).stdout.length, total);
  assert.equal(unframe(other.bytes).stdout.length, total);
});

test('an attacher that hangs up while it holds the process back lets it go', async (t) => {
  const { dir, control } = await begin(t, 'head -c 8000000 /dev/zero; exit 2');
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  attach.socket.pause();
  await control.command('start');
  await control.event('started');
  await pause(100);
  attach.socket.destroy();
  assert.equal((await control.event('exited')).code, '2');
});

test('the exit is told at once although an attacher does not read, and the attacher still gets the rest', async (t) => {
  const { dir, control } = await begin(t, 'head -c 600000 /dev/zero');
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  attach.socket.pause();
  await control.command('start');
  const start = performance.now();
  await control.event('exited');
  assert.ok(performance.now() - start < 1500);
  await pause(50);
  attach.socket.resume();
  await attach.ended;
  assert.equal(unframe(attach.bytes).stdout.length, 600_000);
});

test('an attacher that never reads is given up after linger-ms', async (t) => {
  const { dir, control } = await begin(t, 'head -c 900000 /dev/zero', [['linger-ms', 200]]);
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  attach.socket.pause();
  await control.command('start');
  await control.event('exited');
  await control.closed;
});

test('a holder of stdout delays the exit by drain-ms at most', async (t) => {
  const { dir, control } = await begin(t, 'sleep 3 & echo $! > holder; echo last; exit 5', [['drain-ms', 150]]);
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  const start = performance.now();
  await control.command('start');
  assert.equal((await control.event('exited')).code, '5');
  const took = performance.now() - start;
  assert.ok(took > 140 && took < 1500, `${took} ms`);
  await attach.ended;
  assert.equal(unframe(attach.bytes).stdout.toString(), 'last\n');
  process.kill(Number(readText(dir, 'holder')), 'SIGKILL');
});

test('100 MB of lines pass whole and in order to an attacher and the log', async (t) => {
  const lines = 1_640_000;
  const { dir, control } = await begin(t, `seq -f 'line %055.0f' 1 ${lines}`, []);
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  await control.command('start');
  await attach.ended;
  const { stdout } = unframe(attach.bytes);
  assert.equal(stdout.length, lines * 61);
  let at = 0;
  for (let i = 1; i <= lines; i += 997, at += 997 * 61) {
    assert.equal(Number(stdout.subarray(at + 5, at + 60).toString()), i);
  }
});

test('a shim at rest keeps little memory', async (t) => {
  const { dir, control, shimPid } = await begin(t, 'head -c 3000000 /dev/zero | tr "\\0" "\\n"; exec sleep 100', [
    ['auto-start', 1],
  ]);
  const attach = new Attach(dir, { stdout: true });
  await control.event('started');
  await pause(1600);
  if (!process.env.GANTRY_SHIM) {
    const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${shimPid}/smaps_rollup`, 'utf8'))?.[1]);
    t.diagnostic(`PSS ${pss} KiB`);
    assert.ok(pss < 1536, `${pss} KiB`);
  }
  assert.ok(alive(shimPid));
  attach.socket.destroy();
});

test('a client that speaks nonsense is closed and disturbs nobody', async (t) => {
  const { dir, control } = await begin(t, 'sleep 0.2; exit 8');
  await control.command('start');
  for (const bytes of [
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    encode([['op', 'dance']]),
    encode([
      ['op', 'attach'],
      ['stdout', 2],
    ]),
    Buffer.from([0, 0, 0, 1, 0x61]),
    Buffer.from([0, 0, 0, 0]),
  ]) {
    const socket = connect(join(dir, 'sock'));
    socket.on('error', () => {});
    const closed = once(socket, 'close').catch(() => {});
    socket.write(bytes);
    socket.resume();
    await closed;
  }
  assert.equal((await control.event('exited')).code, '8');
});
