import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeMounts } from '../../host/mount/testing/fake-mounts.ts';
import { createRootfs } from './index.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-rootfs-'));
  for (const path of ['layers/1', 'layers/2', 'init', 'rw/upper', 'rw/work']) {
    mkdirSync(join(dir, path), { recursive: true });
  }
});
after(() => rmSync(dir, { recursive: true }));

const bench = () => {
  const mounts = new FakeMounts();
  const parts = {
    layersDir: join(dir, 'layers'),
    lowerDirs: ['2', '1'],
    upper: join(dir, 'rw/upper'),
    work: join(dir, 'rw/work'),
  };
  return { mounts, parts, rootfs: createRootfs({ mounts, initLayer: join(dir, 'init') }) };
};

test('a process sees its own changes first, then what the engine puts over every image, then the image from the top', () => {
  const { rootfs, parts } = bench();
  const [mkdir, chdir, mount] = rootfs.steps(parts, '/run/rootfs');
  assert.deepEqual(mkdir, { verb: 'mkdir', path: '/run/rootfs', mode: 0o755 });
  assert.deepEqual(
    chdir,
    { verb: 'chdir', path: parts.layersDir },
    'layers are named relative to where the shim stands',
  );
  assert.ok(mount?.verb === 'mount' && mount.target === '/run/rootfs');
  assert.equal(mount.data, `lowerdir=${join(dir, 'init')}:2:1,upperdir=${parts.upper},workdir=${parts.work},index=off`);
});

test('copying into a stopped container writes into its own layer', async () => {
  const { rootfs, parts, mounts } = bench();
  await using root = await rootfs.open(parts, 'write');
  const { upper, work } = parts;
  const wanted = { from: parts.layersDir, lower: [join(dir, 'init'), '2', '1'], writable: { upper, work } };
  assert.deepEqual(mounts.open.get(root.fd), wanted);
});

test('reading a stopped container shows its own changes, and can harm neither them nor the next start', async () => {
  const { rootfs, parts, mounts } = bench();
  await using root = await rootfs.open(parts, 'read');
  assert.deepEqual(mounts.open.get(root.fd), {
    from: parts.layersDir,
    lower: [parts.upper, join(dir, 'init'), '2', '1'],
  });
});

test('reading and writing see the layers in the same order', async () => {
  const { rootfs, parts, mounts } = bench();
  await using reading = await rootfs.open(parts, 'read');
  await using writing = await rootfs.open(parts, 'write');
  const [read, written] = [mounts.open.get(reading.fd), mounts.open.get(writing.fd)];
  assert.deepEqual(read?.lower, [written?.writable?.upper, ...(written?.lower ?? [])]);
});

test('an image with too many layers is refused before anything is asked of a shim', () => {
  const { rootfs, parts } = bench();
  const lowerDirs = Array.from({ length: 2000 }, (_, n) => String(n));
  assert.throws(() => rootfs.steps({ ...parts, lowerDirs }, '/x'), { code: 'TOO_MANY_LAYERS' });
});
