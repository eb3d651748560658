import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ReadOptions, readLog } from './index.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-logs-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const OPTIONS: ReadOptions = {
  stdout: true,
  stderr: true,
  timestamps: false,
  details: false,
  tty: true,
  follow: false,
};
const entry = (log: string, stream = 'stdout', second = 0): string =>
  `${JSON.stringify({ log, stream, time: `2024-01-01T00:00:${String(second).padStart(2, '0')}.5Z` })}\n`;
const never = new AbortController().signal;

async function text(path: string, options: Partial<ReadOptions> = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of readLog({ path, ended: AbortSignal.abort() }, { ...OPTIONS, ...options }, never))
    parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test('lines are read across rotated and gzipped files, oldest first', async () => {
  const path = join(dir, 'rotated.log');
  await writeFile(`${path}.2.gz`, gzipSync(entry('a\n') + entry('b\n')));
  await writeFile(`${path}.1`, entry('c\n') + entry('ä€\n'));
  await writeFile(path, entry('e\n'));
  assert.equal(await text(path), 'a\nb\nc\nä€\ne\n');
  for (const [tail, wanted] of [
    [0, ''],
    [1, 'e\n'],
    [2, 'ä€\ne\n'],
    [4, 'b\nc\nä€\ne\n'],
    [99, 'a\nb\nc\nä€\ne\n'],
  ] as const) {
    assert.equal(await text(path, { tail }), wanted, `tail ${tail}`);
  }
});

test('a frame carries its stream and length; streams, times and torn lines are filtered', async () => {
  const path = join(dir, 'frames.log');
  await writeFile(
    path,
    `${entry('out\n', 'stdout', 1)}{"log":"torn\n${entry('err\n', 'stderr', 2)}${entry('late\n', 'stdout', 9)}`,
  );
  const framed = Buffer.from(await text(path, { tty: false, stdout: false }), 'latin1');
  assert.deepEqual([...framed], [2, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from('err\n')]);
  const second = (s: number): bigint => BigInt(Date.UTC(2024, 0, 1, 0, 0, s)) * 1_000_000n;
  assert.equal(await text(path, { since: second(2) }), 'err\nlate\n');
  assert.equal(await text(path, { until: second(3) }), 'out\nerr\n');
  assert.equal(await text(path, { tail: 1, timestamps: true }), '2024-01-01T00:00:09.500000000Z late\n');
});

test('following gives every line through appends and rotations, and ends when the source ends', async () => {
  const path = join(dir, 'live.log');
  await writeFile(path, entry('0\n'));
  const end = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of readLog({ path, ended: end.signal }, { ...OPTIONS, follow: true }, never)) {
      seen.push(...Buffer.from(chunk).toString().trim().split('\n'));
    }
  })();
  for (let n = 1; n <= 300; n++) {
    await appendFile(path, entry(`${n}\n`));
    if (n % 40 === 0) {
      for (let k = 3; k >= 1; k--) await rename(`${path}.${k}`, `${path}.${k + 1}`).catch(() => {});
      await rename(path, `${path}.1`);
      await writeFile(path, '');
    }
  }
  end.abort();
  await reading;
  assert.deepEqual(
    seen,
    Array.from({ length: 301 }, (_, n) => String(n)),
  );
});

test('what a busy container writes while its log is read does not keep the reader for ever', async () => {
  const path = join(dir, 'busy.log');
  for (const tail of [undefined, 1]) {
    await writeFile(path, entry('first\n') + entry('second\n'));
    let all = '';
    for await (const chunk of readLog({ path, ended: AbortSignal.abort() }, { ...OPTIONS, tail }, never)) {
      all += Buffer.from(chunk).toString();
      await appendFile(path, entry('later\n'));
    }
    assert.equal(all, tail === 1 ? 'second\n' : 'first\nsecond\n');
  }
});

test('a follower that has read the rotated files holds one descriptor, not one for each', async () => {
  const path = join(dir, 'many.log');
  for (let n = 1; n < 9; n++) await writeFile(`${path}.${n}`, entry(`${n}\n`));
  await writeFile(path, entry('newest\n'));
  const stop = new AbortController();
  const source = { path, ended: new AbortController().signal };
  const reader = readLog(source, { ...OPTIONS, follow: true }, stop.signal);
  for (let n = 0; n < 9; n++) await reader.next();
  const waiting = reader.next();
  await appendFile(path, entry('more\n'));
  await waiting;
  const held = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  assert.equal((await Promise.all(held)).filter((target) => target.includes('many.log')).length, 1);
  stop.abort();
  await reader.return(undefined);
});
