import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLineSink } from './line-sink.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-sink-'));
});
after(() => rm(dir, { recursive: true, force: true }));

/** A pipe: the end to read from does not block, the one to write to does, as a program's stderr. */
function pipe(name: string): { readonly read: number; readonly write: number } {
  const path = join(dir, name);
  execFileSync('mkfifo', [path]);
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read, write: openSync(path, constants.O_WRONLY) };
}

function readAll(fd: number): string {
  const parts: Buffer[] = [];
  const part = Buffer.alloc(1 << 20);
  for (;;) {
    try {
      const count = readSync(fd, part);
      if (count === 0) break;
      parts.push(Buffer.from(part.subarray(0, count)));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      break;
    }
  }
  return Buffer.concat(parts).toString();
}

test('lines come out whole and in order, long ones too', () => {
  const { read, write } = pipe('plain');
  const lines = ['one\n', `${'ä'.repeat(9000)}\n`, 'three\n'];
  using sink = openLineSink(write);
  for (const line of lines) sink.write(line);
  assert.equal(readAll(read), lines.join(''));
  closeSync(read);
});

test('a reader that stops reading holds nothing up, and gets the rest and a count of what was lost', async () => {
  const { read, write } = pipe('stalled');
  using sink = openLineSink(write);
  const line = `${'x'.repeat(999)}\n`;
  const startedMs = performance.now();
  for (let n = 0; n < 1000; n++) sink.write(line);
  // A sink that waited for its reader would never come back.
  assert.ok(performance.now() - startedMs < 10_000);
  let text = readAll(read);
  for (let tries = 0; tries < 100 && !text.includes('lost'); tries++) {
    await sleep(20);
    text += readAll(read);
  }
  const kept = text.split('\n').filter((each) => each === 'x'.repeat(999)).length;
  const lost = Number(/"(\d+) log lines were lost"/.exec(text)?.[1]);
  assert.equal(kept + lost, 1000);
  assert.ok(kept > 200 && lost > 0, `${kept} kept, ${lost} lost`);
  closeSync(read);
});

test('a reader that went away costs the lines and nothing else', () => {
  const { read, write } = pipe('broken');
  closeSync(read);
  using sink = openLineSink(write);
  for (let n = 0; n < 100; n++) sink.write('to nobody\n');
  closeSync(write);
  sink.write('to a closed descriptor\n');
});
