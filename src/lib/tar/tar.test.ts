// Checks the tar reader and writer: what goes in comes out, at any chunking, and damaged archives are refused.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type ByteString, bytesOfText } from '../bytes.ts';
import { isGantryError } from '../errors.ts';
import { TAR_END, type TarEntry, type TarEntryInput, TarReader, tarHeader, tarPadding } from './index.ts';

interface Read {
  readonly entry: TarEntry;
  readonly data: Buffer;
}

function read(bytes: Buffer, step = bytes.length): { readonly entries: Read[]; readonly skeleton: Buffer } {
  const entries: Read[] = [];
  const frames: Buffer[] = [];
  let open: { entry: TarEntry; parts: Buffer[] } | undefined;
  const reader = new TarReader({
    entry: (entry) => (open = { entry, parts: [] }),
    data: (piece) => open?.parts.push(Buffer.from(piece)),
    entryEnd: () => open && entries.push({ entry: open.entry, data: Buffer.concat(open.parts) }),
    frame: (piece) => frames.push(Buffer.from(piece)),
  });
  for (let at = 0; at < bytes.length; at += step) reader.write(bytes.subarray(at, at + step));
  reader.end();
  return { entries, skeleton: Buffer.concat(frames) };
}

function archive(...members: (readonly [TarEntryInput, string?])[]): Buffer {
  const parts = members.flatMap(([entry, data = '']) => {
    const bytes = Buffer.from(data);
    return [tarHeader({ ...entry, size: bytes.length }), bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

const NASTY: TarEntryInput = {
  name: bytesOfText(`dir/${'ä'.repeat(120)}/file`),
  type: 'file',
  mode: 0o6755,
  uid: 3_000_000,
  gid: 5,
  mtime: { seconds: -2, nanoseconds: 999_999_999 },
  xattrs: new Map([['security.capability' as ByteString, Buffer.from([1, 0, 0, 2, 0xff, 0xfe, 10, 0x3d, 0, 0])]]),
};

test('names, owners, times and binary xattrs survive, whatever the pieces', () => {
  const bytes = archive(
    [NASTY, 'payload'],
    [{ name: 'd/' as ByteString, type: 'directory', mode: 0o1777 }],
    [{ name: 'l' as ByteString, type: 'symlink', linkName: 'x'.repeat(300) as ByteString }],
    [{ name: 'null' as ByteString, type: 'character', deviceMajor: 1, deviceMinor: 3 }],
    [{ name: `${'p'.repeat(90)}/${'q'.repeat(90)}` as ByteString, type: 'fifo' }],
  );
  for (const step of [1, 7, 511, 512, 513, bytes.length]) {
    const { entries } = read(bytes, step);
    assert.deepEqual(
      entries.map(({ entry }) => entry.type),
      ['file', 'directory', 'symlink', 'character', 'fifo'],
    );
    const first = entries[0];
    assert.deepEqual({ ...first?.entry }, { ...NASTY, size: 7, linkName: '', deviceMajor: 0, deviceMinor: 0 });
    assert.equal(first?.data.toString(), 'payload');
    assert.equal(entries[2]?.entry.linkName.length, 300);
    assert.equal(entries[3]?.entry.deviceMinor, 3);
    assert.equal(entries[4]?.entry.name.length, 181);
  }
});

test('an archive without its payloads is what frame() gives, byte for byte', () => {
  const { skeleton } = read(
    archive([NASTY, 'payload'], [{ name: 'b' as ByteString, type: 'file' }, 'x'.repeat(600)]),
    100,
  );
  const whole = archive([NASTY, 'payload'], [{ name: 'b' as ByteString, type: 'file' }, 'x'.repeat(600)]);
  assert.equal(skeleton.length, whole.length - 607);
});

test('GNU tar archives with long names are read', () => {
  const script = `cd "$(mktemp -d)" && mkdir -p ${'n'.repeat(120)} && echo hi > ${'n'.repeat(120)}/f && ln -s ${'t'.repeat(120)} l &&
    tar --format=gnu --owner=4000000 --mtime=@1.5 -cf - . && rm -rf "$PWD"`;
  const bytes = execFileSync('sh', ['-c', script]);
  const { entries } = read(bytes);
  const names = entries.map(({ entry }) => entry.name);
  assert.ok(names.includes(`./${'n'.repeat(120)}/f` as ByteString));
  assert.ok(entries.some(({ entry }) => entry.linkName === 't'.repeat(120)));
  assert.ok(entries.every(({ entry }) => entry.uid === 4_000_000));
});

test('GNU tar reads what the writer writes', () => {
  const bytes = archive(
    [{ ...NASTY, xattrs: undefined }, 'payload'],
    [{ name: 'd/' as ByteString, type: 'directory' }],
  );
  const listed = execFileSync('tar', ['--quoting-style=literal', '-tvf', '-'], { input: bytes, encoding: 'utf8' });
  assert.match(listed, /-rwsr-sr-x 3000000\/5\s+7 .*ä\/file/);
});

test('pax records count for the next entry alone, as Docker reads them: no number of them adds up', () => {
  const pax = (flag: string, text: string): Buffer => {
    const body = Buffer.from(text);
    const head = tarHeader({ name: 'h' as ByteString, type: 'file', size: body.length });
    head.write(flag, 156);
    head.write('        ', 148);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return Buffer.concat([head, body, tarPadding(body.length)]);
  };
  const bytes = Buffer.concat([
    pax('g', '10 uid=77\n'),
    tarHeader({ name: 'a' as ByteString, type: 'file' }),
    pax('x', '10 gid=66\n'),
    pax('x', '10 uid=88\n'),
    archive([{ name: 'b' as ByteString, type: 'file' }]),
  ]);
  assert.deepEqual(
    read(bytes).entries.map(({ entry }) => [entry.uid, entry.gid]),
    [
      [0, 0],
      [88, 0],
    ],
  );
  assert.throws(() => read(Buffer.concat([pax('g', '99 uid=88\n'), TAR_END])), /invalid tar header/);
  assert.throws(() => read(Buffer.concat([pax('x', '99 uid=88\n'), TAR_END])), /invalid tar header/);
  assert.throws(() => read(Buffer.concat([pax('x', '7 \0a=\n'), TAR_END])), /invalid tar header/);
});

test('a cut or damaged archive is an error, not a shorter one', () => {
  const bytes = archive([{ name: 'a' as ByteString, type: 'file' }, 'x'.repeat(2000)]);
  for (const length of [100, 511, 513, 1000, 2511]) {
    assert.throws(
      () => read(bytes.subarray(0, length)),
      (error: unknown) => isGantryError(error, 'invalid') && error.message === 'unexpected EOF',
      `cut at ${length}`,
    );
  }
  // Only what fills up the last block may be missing.
  assert.equal(read(bytes.subarray(0, 2512)).entries[0]?.data.length, 2000);
  const flipped = Buffer.from(bytes);
  flipped[5] = 0x41;
  assert.throws(() => read(flipped), /invalid tar header/);
  assert.throws(() => read(Buffer.from('not a tar at all'.repeat(64))), /invalid tar header/);
});
