// Owns: tests of the log file of a whole shim: format, rotation with compression, attrs, a full disk. Refuses: escaping rules (unit tests).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { withSpawner } from './begin.ts';
import { Attach, type Fields, pause, readText, unframe } from './link.ts';

const { begin } = withSpawner();

type Line = { log: string; stream: string; time: string; attrs?: Record<string, string> };
const parse = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shim-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const logTo = (dir: string): Fields => [['log-path', join(dir, 'log')]];

test('lines of both streams are logged with stream, attrs and time, and the last without its newline', async (t) => {
  const folder = folderFor(t);
  const { control } = await begin(t, 'echo "a<b"; echo err >&2; printf end', [
    ...logTo(folder),
    ['log-attrs', '{"k":"v"}'],
  ]);
  await control.command('start');
  await control.event('exited');
  const lines = parse(readText(folder, 'log'));
  assert.deepEqual(
    lines.filter((line) => line.stream === 'stdout').map((line) => line.log),
    ['a<b\n', 'end'],
  );
  assert.deepEqual(
    lines.filter((line) => line.stream === 'stderr').map((line) => line.log),
    ['err\n'],
  );
  for (const line of lines) {
    assert.deepEqual(line.attrs, { k: 'v' });
    assert.ok(Math.abs(Date.parse(line.time) - Date.now()) < 20_000);
  }
  assert.match(readText(folder, 'log'), /^\{"log":"a\\u003cb\\n","stream":"stdout","attrs":\{"k":"v"\},"time":"/m);
});

test('a line is on disk as soon as it was read, not when a buffer is full', async (t) => {
  const folder = folderFor(t);
  const { control } = await begin(t, 'echo first; exec sleep 100', [...logTo(folder), ['auto-start', 1]]);
  await control.event('started');
  for (let i = 0; i < 100 && readText(folder, 'log') === ''; i++) await pause(5);
  assert.equal(parse(readText(folder, 'log'))[0]?.log, 'first\n');
});

test('an earlier run log is continued', async (t) => {
  const folder = folderFor(t);
  for (const word of ['one', 'two']) {
    const { control } = await begin(t, `echo ${word}`, logTo(folder));
    await control.command('start');
    await control.closed;
  }
  assert.deepEqual(
    parse(readText(folder, 'log')).map((line) => line.log),
    ['one\n', 'two\n'],
  );
});

test('rotation with compression keeps as many files as asked, and loses only what it must', async (t) => {
  const folder = folderFor(t);
  const { control } = await begin(t, "seq -f '%060.0f' 1 20000", [
    ...logTo(folder),
    ['log-max-size', 300_000],
    ['log-max-files', 3],
    ['log-compress-arg', 'gzip'],
    ['log-compress-arg', '-f'],
  ]);
  await control.command('start');
  await control.event('exited');
  await control.closed;
  assert.deepEqual(readdirSync(folder).sort(), ['log', 'log.1.gz', 'log.2.gz']);
  const texts = ['log.2.gz', 'log.1.gz'].map((name) => gunzipSync(readFileSync(join(folder, name))).toString());
  const numbers = [...texts, readText(folder, 'log')].flatMap((text) => parse(text).map((line) => Number(line.log)));
  assert.equal(numbers.at(-1), 20_000);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => (numbers[0] ?? 0) + i),
  );
  assert.ok(texts.every((text) => text.length >= 300_000 && text.length < 400_000));
});

test('a log folder that is not there is a failed start', async (t) => {
  const { control } = await begin(t, 'echo x', [
    ['log-path', '/proc/no/such/folder/log'],
    ['cleanup-arg', 'sleep'],
    ['cleanup-arg', '1'],
  ]);
  const failed = await control.event('failed');
  assert.equal(failed.stage, 'log');
  assert.equal(failed.errno, '2');
});

test('on a full disk the process goes on, attachers get all, and one complaint is kept', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shim-log-'));
  const small = join(folder, 'small');
  mkdirSync(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    t.skip('no mounts here');
    return;
  }
  t.after(() => {
    execFileSync('umount', ['-l', small]);
    rmSync(folder, { recursive: true });
  });
  const { dir, control } = await begin(t, 'seq 1 50000; exit 3', logTo(small));
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  await control.command('start');
  assert.equal((await control.event('exited')).code, '3');
  await attach.ended;
  assert.equal(unframe(attach.bytes).stdout.toString().split('\n').length, 50_001);
  assert.match(readText(dir, 'shim.log'), /^\S+Z log: No space left on device\n$/);
  assert.ok(parse(readText(small, 'log')).length > 100);
});

test('100 MB of lines are logged whole and in order', async (t) => {
  const folder = folderFor(t);
  const lines = 1_640_000;
  const { control } = await begin(t, `cat ${join(folder, 'lines')}`, logTo(folder));
  execFileSync('sh', ['-c', `seq -f 'line %055.0f' 1 ${lines} > ${join(folder, 'lines')}`]);
  const start = performance.now();
  await control.command('start');
  await control.event('exited');
  t.diagnostic(`${Math.round((lines * 61) / 1000 / (performance.now() - start))} MB/s`);
  const text = readFileSync(join(folder, 'log'));
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    const end = text.indexOf(10, at);
    if (count % 997 === 0) assert.equal(Number(text.subarray(at + 13, at + 68).toString()), count + 1);
    at = end + 1;
  }
  assert.equal(count, lines);
});
