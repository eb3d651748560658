// Checks sparse files: GNU tar's four forms give the file that was archived, and maps that lie are refused.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ByteString } from '../bytes.ts';
import { isGantryError } from '../errors.ts';
import { TAR_END, TarReader, tarHeader, tarPadding } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-sparse-'));
after(() => rmSync(folder, { recursive: true }));

const FILES: Readonly<Record<string, (fd: number) => void>> = {
  'hole-at-the-end': (fd) => {
    writeSync(fd, 'q'.repeat(70_000), 0);
    ftruncateSync(fd, 200_000);
  },
  'only-a-hole': (fd) => ftruncateSync(fd, 1 << 20),
  'many-parts': (fd) => {
    for (let i = 0; i < 60; i++) writeSync(fd, `${i}`.repeat(1000), i * 65_536);
  },
  'not-sparse': (fd) => void writeSync(fd, 'plain'),
};

for (const [name, fill] of Object.entries(FILES)) {
  const fd = openSync(join(folder, name), 'w');
  fill(fd);
  closeSync(fd);
}

interface Unpacked {
  readonly files: Map<string, Buffer>;
  readonly frames: number;
  readonly payload: number;
}

function unpack(archive: Buffer, step: number): Unpacked {
  const files = new Map<string, Buffer>();
  let [frames, payload] = [0, 0];
  let file: Buffer | undefined;
  const reader = new TarReader({
    entry({ name, size }) {
      file = Buffer.alloc(size);
      files.set(name, file);
    },
    data(bytes, offset) {
      payload += bytes.length;
      assert.ok(offset + bytes.length <= (file?.length ?? 0));
      bytes.copy(file ?? Buffer.alloc(0), offset);
    },
    entryEnd() {},
    frame: (bytes) => {
      frames += bytes.length;
    },
  });
  for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step));
  reader.end();
  return { files, frames, payload };
}

const FORMS: Readonly<Record<string, readonly string[]>> = {
  'GNU’s own header': ['--format=gnu'],
  'pax 0.0': ['--format=pax', '--sparse-version=0.0'],
  'pax 0.1': ['--format=pax', '--sparse-version=0.1'],
  'pax 1.0': ['--format=pax', '--sparse-version=1.0'],
};

for (const [form, flags] of Object.entries(FORMS)) {
  test(`a sparse file in the form of ${form} comes out whole, whatever the pieces`, () => {
    const archive = execFileSync('tar', ['-C', folder, '-S', ...flags, '-cf', '-', ...Object.keys(FILES)]);
    assert.ok(archive.length < 1 << 20, 'tar made it sparse');
    for (const step of [7, 512, 4096, archive.length]) {
      const { files, frames, payload } = unpack(archive, step);
      assert.equal(frames + payload, archive.length, 'every byte is told once');
      for (const name of Object.keys(FILES)) {
        assert.ok(files.get(name)?.equals(readFileSync(join(folder, name))), `${name} in pieces of ${step}`);
      }
    }
  });
}

/** A file whose pax records and payload are given. */
function paxFile(records: Readonly<Record<string, string | number>>, payload: string): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = `GNU.sparse.${key}=${value}\n`.length + 1;
    const length = rest + String(rest + String(rest).length).length;
    return `${length} GNU.sparse.${key}=${value}\n`;
  });
  const body = Buffer.from(lines.join(''));
  const head = tarHeader({ name: 'x' as ByteString, type: 'file', size: body.length });
  head.write('x', 156);
  head.write('        ', 148);
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const file = tarHeader({ name: 'f' as ByteString, type: 'file', size: payload.length });
  const rest = [file, Buffer.from(payload), tarPadding(payload.length), TAR_END];
  return Buffer.concat([head, body, tarPadding(body.length), ...rest]);
}

const LIES: Readonly<Record<string, Buffer>> = {
  'parts that overlap': paxFile({ map: '0,3,2,3', numblocks: 2, size: 10 }, 'abcdef'),
  'a part beyond the end': paxFile({ map: '8,3', numblocks: 1, size: 10 }, 'abc'),
  'more parts than payload': paxFile({ map: '0,9', numblocks: 1, size: 10 }, 'abc'),
  'less parts than payload': paxFile({ map: '0,1', numblocks: 1, size: 10 }, 'abc'),
  'another number of parts': paxFile({ map: '0,3', numblocks: 2, size: 10 }, 'abc'),
  'a map of letters': paxFile({ map: 'a,b', numblocks: 1, size: 10 }, 'abc'),
  'a negative size': paxFile({ map: '0,3', numblocks: 1, size: -5 }, 'abc'),
  'a map without end': paxFile({ major: 1, minor: 0, realsize: 10 }, '99999999\n'.padEnd(2 << 20, '1\n')),
  'a map of nothing': paxFile({ major: 1, minor: 0, realsize: 10 }, 'x'.repeat(512)),
  'a form of the future': paxFile({ major: 2, minor: 0, realsize: 10 }, 'abc'),
};

for (const [lie, archive] of Object.entries(LIES)) {
  test(`a sparse file with ${lie} is refused`, () => {
    assert.throws(
      () => unpack(archive, archive.length),
      (error) => isGantryError(error, 'invalid'),
    );
  });
}

test('a sparse archive cut anywhere is an error, never a shorter file', () => {
  const archive = execFileSync('tar', ['-C', folder, '-S', '--format=pax', '-cf', '-', 'many-parts']);
  const whole = archive.length - 10_240;
  for (let length = 512; length < Math.max(whole, 20_000); length += 997) {
    assert.throws(
      () => unpack(archive.subarray(0, length), length),
      (error) => isGantryError(error, 'invalid'),
      `cut at ${length}`,
    );
  }
});
