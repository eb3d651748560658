import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type ReadOptions, readLog } from './index.ts';

let dir = '';
let count = 0;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-follow-'));
});
after(() => rmSync(dir, { recursive: true }));

const OPTIONS: ReadOptions = {
  ...{ stdout: true, stderr: true, timestamps: false, details: false, tty: true },
  follow: true,
};
const entry = (log: string, timeMs = Date.now()): string =>
  `${JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: new Date(timeMs).toISOString() })}\n`;

/** A reader of a log of its own; `text` fills while it reads, `over` resolves when it ended. */
function reading(options: Partial<ReadOptions> = {}, stored?: string) {
  const path = join(dir, `${++count}.log`);
  if (stored !== undefined) writeFileSync(path, stored);
  const [end, stop] = [new AbortController(), new AbortController()];
  const seen = { text: '' };
  const over = (async () => {
    const chunks = readLog({ path, ended: end.signal }, { ...OPTIONS, ...options }, stop.signal);
    for await (const chunk of chunks) seen.text += Buffer.from(chunk).toString();
    return seen.text;
  })();
  const until = async (text: string): Promise<void> => {
    while (!seen.text.includes(text)) await sleep(1);
  };
  return { path, end, stop, seen, over, until };
}

test('a container that never wrote has an empty log, not an error', async () => {
  assert.equal(await reading({ follow: false }).over, '');
});

test('a follower that came before the first line sees it', async () => {
  const { path, end, over, until } = reading();
  await sleep(5);
  writeFileSync(path, entry('first'));
  await until('first');
  end.abort();
  assert.equal(await over, 'first\n');
});

test('a line that was written just before the end is not lost', async () => {
  const { path, end, over, until } = reading({}, entry('a'));
  await until('a');
  appendFileSync(path, entry('last'));
  end.abort();
  assert.equal(await over, 'a\nlast\n');
});

test('a client that hangs up ends its reading at once, and the file is let go', async () => {
  const { path, stop, over, until } = reading({}, entry('a'));
  await until('a');
  stop.abort();
  assert.equal(await over, 'a\n');
  const held = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });
  assert.ok(!held.includes(path));
});

test('--tail 0 -f shows new lines only', async () => {
  const { path, end, over, seen } = reading({ tail: 0 }, entry('old'));
  while (seen.text === '') {
    appendFileSync(path, entry('new'));
    await sleep(2);
  }
  end.abort();
  assert.match(await over, /^(new\n)+$/);
});

test('--until in the future ends a follower when its time has come, although nothing is written', async () => {
  const startMs = Date.now();
  const { over } = reading({ until: BigInt(startMs + 60) * 1_000_000n }, entry('a'));
  assert.equal(await over, 'a\n');
  assert.ok(Date.now() >= startMs + 60);
});

test('--until in the past ends a follower at once, also on a log that goes on', async () => {
  const now = Date.now();
  const stored = entry('a', now - 5000) + entry('b', now);
  assert.equal(await reading({ until: BigInt(now - 1000) * 1_000_000n }, stored).over, 'a\n');
});

test('--tail counts lines before --since and the streams choose among them', async () => {
  const now = Date.now();
  const stored = entry('a', now - 9000) + entry('b', now - 8000) + entry('c', now);
  const since = BigInt(now - 1000) * 1_000_000n;
  assert.equal(await reading({ follow: false, tail: 2, since }, stored).over, 'c\n');
  assert.equal(await reading({ follow: false, tail: 1, stdout: false }, stored).over, '');
});

test('a follower whose tail lies in a zipped file goes on to the living one', async () => {
  const path = join(dir, 'zipped.log');
  writeFileSync(`${path}.1.gz`, gzipSync(entry('a') + entry('b') + entry('c')));
  writeFileSync(path, entry('d'));
  const source = { path, ended: AbortSignal.abort() };
  let text = '';
  for await (const chunk of readLog(source, { ...OPTIONS, tail: 3 }, new AbortController().signal)) {
    text += Buffer.from(chunk).toString();
  }
  assert.equal(text, 'b\nc\nd\n');
});
