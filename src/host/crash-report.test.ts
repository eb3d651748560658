import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { type BuggyProcess, endAtFirstBug, LastLines, writeCrashReport } from './crash-report.ts';

test('a report says what happened, to its owner alone', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-crash-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'crashes');
  const cause = new Error('the reason beneath');
  const path = writeCrashReport(
    folder,
    { name: 'gantryd', version: '1.2', lines: ['one'] },
    new Error('oh', { cause }),
  );
  assert.ok(path);
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600]);
  const text = readFileSync(path, 'utf8');
  const report = JSON.parse(text);
  assert.deepEqual(
    [report.program, report.version, report.node, report.log],
    ['gantryd', '1.2', process.version, ['one']],
  );
  assert.match(report.error.join('\n'), /Error: oh[\s\S]*crash-report\.test\.ts[\s\S]*the reason beneath/);
  assert.ok(!text.includes(process.env.PATH ?? 'nothing'), 'the environment stays out');
});

test('the ten newest reports are kept', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (let i = 10; i < 40; i++) writeFileSync(join(folder, `19${i}-old.json`), '');
  const path = writeCrashReport(folder, { name: 'x', version: '1', lines: [] }, 'a string');
  const left = readdirSync(folder).sort();
  assert.equal(left.length, 10);
  assert.deepEqual([left[0], join(folder, left[8] ?? '')], ['1931-old.json', left[8] && join(folder, '1939-old.json')]);
  assert.ok(path?.endsWith(left[9] ?? '-'));
});

test('a folder that cannot be made costs only the report', () => {
  assert.equal(writeCrashReport('/proc/no/such', { name: 'x', version: '1', lines: [] }, new Error('oh')), undefined);
});

test('of the lines the last hundred are kept, and their beginnings', () => {
  const lines = new LastLines();
  for (let i = 0; i < 150; i++) lines.add(`${i}\n`);
  lines.add('x'.repeat(10_000));
  assert.equal(lines.all.length, 100);
  assert.deepEqual([lines.all[0], lines.all.at(-1)?.length], ['51', 2000]);
});

test('the first bug ends the program, once, with a report', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const seen: unknown[] = [];
  const io = Object.assign(new EventEmitter(), { exit: (code: number) => void seen.push(code) });
  endAtFirstBug(io as unknown as BuggyProcess, {
    name: 'x',
    version: '1',
    folder,
    lines: new LastLines(),
    log(message, { report }) {
      seen.push(message, report !== undefined && readdirSync(folder).includes(basename(report)));
      io.emit('unhandledRejection', 'second');
    },
    flush: () => seen.push('flushed'),
  });
  io.emit('uncaughtException', 'first');
  io.emit('uncaughtException', 'third');
  assert.deepEqual(seen, ['ended by a bug: first', true, 'flushed', 70]);
});
