import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMount, mountOf } from './mount-table.ts';

const TABLE = `21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:25 / /mnt rw - tmpfs tmpfs rw
31 30 0:26 / /mnt/both\\040ways rw shared:7 master:3 - tmpfs tmpfs rw
32 30 0:27 / /mnt/slave rw master:3 - tmpfs tmpfs rw
33 30 0:28 / /mnt/slave rw shared:9 - tmpfs tmpfs rw
`;

test('a path lies on the deepest mount above it, of two in one place on the later', () => {
  const at = (path: string) => {
    const { mountPoint, isShared, isSlave } = findMount(path, TABLE);
    return [mountPoint, isShared, isSlave];
  };
  assert.deepEqual(at('/etc'), ['/', true, false]);
  assert.deepEqual(at('/mnt/x'), ['/mnt', false, false]);
  assert.deepEqual(at('/mntx'), ['/', true, false]);
  assert.deepEqual(at('/mnt/both ways/x'), ['/mnt/both ways', true, true]);
  assert.deepEqual(at('/mnt/slave'), ['/mnt/slave', true, false]);
});

test('links are followed before the table is asked', async () => {
  assert.equal((await mountOf('/proc/self/root/proc')).mountPoint, '/proc');
  await assert.rejects(mountOf('/no/such/path'), { code: 'ENOENT' });
});
