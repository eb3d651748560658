import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bytesOfText as b } from '../../lib/bytes.ts';
import { GantryError } from '../../lib/errors.ts';
import { TAR_END, type TarEntryInput, TarReader, tarHeader, tarPadding } from '../../lib/tar/index.ts';
import type { ContainerRecord } from '../containers/types.ts';
import { createFiles } from './index.ts';
import type { RootSource } from './types.ts';

let base = '';
const never = new AbortController().signal;
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const events: string[] = [];
/** Roots that are lent now. */
const lent = new Set<RootSource>();
let source: RootSource;

const files = createFiles({
  find(ref) {
    if (ref !== 'web') throw new GantryError('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`);
    return { id: 'id', name: 'web', config: { User: '' } } as unknown as ContainerRecord;
  },
  async withRoot(_, access, work) {
    lent.add(source);
    try {
      return await work(source, access === 'write');
    } finally {
      lent.delete(source);
    }
  },
  publish: ({ name }, action) => void events.push(`${action} ${name}`),
});

before(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-files-'));
  for (const path of ['root/etc', 'root/tmp', 'volume/sub', 'fixed']) mkdirSync(join(base, path), { recursive: true });
  writeFileSync(join(base, 'root/etc/passwd'), 'inside');
  writeFileSync(join(base, 'secret'), 'outside');
  writeFileSync(join(base, 'volume/sub/data'), 'volume');
  symlinkSync(join(base, 'secret'), join(base, 'root/leak'));
  symlinkSync('/etc', join(base, 'root/conf'));
  symlinkSync('loop', join(base, 'root/loop'));
  const trees = [
    { path: '/data', source: join(base, 'volume'), below: 'sub', readOnly: false },
    { path: '/fixed', source: join(base, 'fixed'), readOnly: true },
  ];
  source = { root: join(base, 'root'), readOnly: false, trees };
});
after(async () => {
  await files[Symbol.asyncDispose]();
  rmSync(base, { recursive: true });
});

/** A tar of files that belong to whoever runs this. */
function tar(entries: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(entries).flatMap(([name, text]) => {
    const entry: TarEntryInput = { name: b(name), type: 'file', uid, gid, size: text.length };
    return [tarHeader(entry), Buffer.from(text), tarPadding(text.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

async function* pieces(...bytes: Buffer[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
const write = (path: string, ...bytes: Buffer[]) =>
  files.write('web', { path, noOverwriteDirNonDir: false, asUser: false }, pieces(...bytes), never);
const inRoot = (path: string) => readFileSync(join(base, 'root', path), 'utf8');

test('a look finds files in the root and in volumes, and leads out of neither', async () => {
  const look = async (path: string) => {
    const { name, sizeBytes, linkTarget } = await files.stat('web', path, never);
    return [name, sizeBytes, linkTarget];
  };
  assert.deepEqual(await look('/etc/passwd'), ['passwd', 6, '']);
  assert.deepEqual(await look('/data/data'), ['data', 6, '']);
  const secret = join(base, 'secret');
  assert.deepEqual(await look('/leak'), ['leak', secret.length, secret]);
  await assert.rejects(look('/leak/'), { code: 'NO_SUCH_FILE' });
  await assert.rejects(look('/../../secret'), { code: 'NO_SUCH_FILE' });
});

test('what is not there, loops, or goes on behind a file is refused in dockerd’s words', async () => {
  for (const [path, code, message] of [
    ['/absent', 'NO_SUCH_FILE', 'Could not find the file /absent in container web'],
    ['/loop/x', 'TOO_MANY_LINKS', 'evalSymlinksInScope: too many links in /loop/x'],
    ['/etc/passwd/x', 'ENOTDIR', 'lstat /etc/passwd/x: not a directory'],
  ] as const) {
    await assert.rejects(files.stat('web', path, never), { code, message });
  }
});

test('a container that is not there is refused before a tree is lent', async () => {
  const unknown = { code: 'NO_SUCH_CONTAINER' };
  await assert.rejects(async () => files.stat('db', '/', never), unknown);
  await assert.rejects(files.read('db', '/', never), unknown);
  const request = { path: '/', noOverwriteDirNonDir: false, asUser: false };
  await assert.rejects(files.write('db', request, pieces(), never), unknown);
});

test('a reading is announced, lends the tree until the last byte, and gives it back', async () => {
  events.length = 0;
  const { stat, archive } = await files.read('web', '/conf/.', never);
  assert.equal(stat.name, '.');
  assert.deepEqual(events, ['archive-path web']);
  assert.equal(lent.size, 1);
  const names: string[] = [];
  const reader = new TarReader({ entry: ({ name }) => void names.push(name), data() {}, entryEnd() {} });
  for await (const piece of archive) reader.write(piece as Buffer);
  reader.end();
  assert.deepEqual(names, ['./', './passwd']);
  while (lent.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('a reading that fails is not announced and gives the tree back', async () => {
  events.length = 0;
  await assert.rejects(files.read('web', '/absent', never), { code: 'NO_SUCH_FILE' });
  assert.deepEqual([events, lent.size], [[], 0]);
});

test('an archive is written to the folder that a link leads to in the container, plain or compressed, and announced', async () => {
  events.length = 0;
  await write('/tmp', tar({ plain: 'p' }));
  await write('/tmp/', gzipSync(tar({ zipped: 'z' })));
  await write('/conf', tar({ 'hosts.new': 'h' }));
  await write('/data', tar({ new: 'v' }));
  assert.deepEqual([inRoot('tmp/plain'), inRoot('tmp/zipped'), inRoot('etc/hosts.new')], ['p', 'z', 'h']);
  assert.equal(readFileSync(join(base, 'volume/sub/new'), 'utf8'), 'v');
  assert.deepEqual(events, Array(4).fill('extract-to-dir web'));
});

test('an archive cannot be written to a file, to nothing, or where the container may not write', async () => {
  events.length = 0;
  for (const [path, code, message] of [
    ['/etc/passwd', 'NOT_A_FOLDER', 'extraction point is not a directory'],
    ['/absent', 'NO_SUCH_FILE', 'Could not find the file /absent in container web'],
    ['/fixed', 'READ_ONLY', 'mounted volume is marked read-only'],
  ] as const) {
    await assert.rejects(write(path, tar({ x: '' })), { code, message });
  }
  const whole = source;
  source = { ...source, readOnly: true };
  try {
    await assert.rejects(write('/tmp', tar({ x: '' })), {
      code: 'READ_ONLY',
      message: 'container rootfs is marked read-only',
    });
    await write('/data', tar({ 'in-volume': '' }));
  } finally {
    source = whole;
  }
  assert.deepEqual(events, ['extract-to-dir web']);
});

test('a damaged archive is a failure of the system, as dockerd says it is', async () => {
  const whole = tar({ cut: 'x'.repeat(2000) });
  for (const bytes of [whole.subarray(0, 1200), Buffer.alloc(1024, 'x'), gzipSync(whole).subarray(0, 40)]) {
    await assert.rejects(write('/tmp', bytes), { kind: 'system', code: /TAR|LAYER/ });
  }
});

test('an archive that climbs out of its folder is refused', async () => {
  await assert.rejects(write('/tmp', tar({ '../escaped': 'x' })), {
    code: 'ENTRY_NAME',
    message: 'invalid entry name "../escaped"',
  });
  assert.throws(() => lstatSync(join(base, 'root/escaped')), { code: 'ENOENT' });
});
