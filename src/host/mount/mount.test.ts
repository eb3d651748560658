import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linuxMounts } from './index.ts';
import { overlayOptions } from './overlay.ts';

const isRoot = process.getuid?.() === 0;

test('the options of an overlay escape what separates them, and end where the kernel does', () => {
  const writable = { upper: '/d,1/up', work: '/d,1/work' };
  assert.equal(
    overlayOptions({ lower: ['a:b', '2'], writable }),
    'lowerdir=a\\:b:2,upperdir=/d\\,1/up,workdir=/d\\,1/work,index=off',
  );
  assert.equal(overlayOptions({ lower: ['1', '2'] }), 'lowerdir=1:2,index=off');
  const many = Array.from({ length: 2000 }, (_, n) => String(n));
  assert.throws(() => overlayOptions({ lower: many }), { code: 'TOO_MANY_LAYERS' });
});

test('an overlay is reached by its descriptor, seen by nobody, and gone with it', { skip: !isRoot }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-mount-'));
  try {
    for (const path of ['layers/1', 'layers/2', 'up', 'work']) mkdirSync(join(dir, path), { recursive: true });
    writeFileSync(join(dir, 'layers/1/top'), 'top');
    writeFileSync(join(dir, 'layers/2/below'), 'below');
    await using mounts = linuxMounts(join(dir, 'mounts'));
    const request = { lower: ['1', '2'], from: join(dir, 'layers') };
    const cwd = process.cwd();
    {
      await using both = await mounts.overlay({
        ...request,
        writable: { upper: join(dir, 'up'), work: join(dir, 'work') },
      });
      const path = `/proc/self/fd/${both.fd}`;
      assert.deepEqual(readdirSync(path).sort(), ['below', 'top']);
      writeFileSync(join(path, 'new'), 'written');
      assert.equal(readFileSync(join(dir, 'up/new'), 'utf8'), 'written');
      await using image = await mounts.overlay(request);
      assert.deepEqual(readdirSync(`/proc/self/fd/${image.fd}`).sort(), ['below', 'top']);
      assert.throws(() => writeFileSync(`/proc/self/fd/${image.fd}/new`, ''), { code: 'EROFS' });
      await using single = await mounts.overlay({ ...request, lower: ['2'] });
      assert.deepEqual(readdirSync(`/proc/self/fd/${single.fd}`), ['below']);
    }
    assert.equal(process.cwd(), cwd);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(dir));
    await assert.rejects(mounts.overlay({ ...request, lower: ['absent', '1'] }), { code: 'ENOENT', syscall: 'mount' });
    assert.ok(existsSync(join(dir, 'mounts/place')));
  } finally {
    rmSync(dir, { recursive: true });
  }
});
