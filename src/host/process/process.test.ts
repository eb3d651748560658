import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceNumbers } from './devices.ts';
import { findExecutable, parseKernelRelease, readAllDevices, readDevice, readDevices, readHostFacts } from './index.ts';

test('--device finds the numbers of a node', async () => {
  const { type, major, minor } = await readDevice('/dev/null');
  assert.deepEqual([type, major, minor], ['c', 1, 3]);
  assert.deepEqual(deviceNumbers(0x123_00456_789_12n & 0xffffn), { major: 0x89, minor: 0x12 });
  assert.deepEqual(deviceNumbers((0xabcn << 8n) | (0x12345n << 20n) | 0x67n), { major: 0xabc, minor: 0x1234567 });
});

test('a wrong --device is refused in Docker’s words', async () => {
  const gather = 'error gathering device information while adding custom device';
  await assert.rejects(readDevice('/dev/nosuch'), { message: `${gather} "/dev/nosuch": no such file or directory` });
  await assert.rejects(readDevices('/etc/passwd'), { message: `${gather} "/etc/passwd": not a device node` });
});

test('a privileged container gets the host’s devices without its terminals', async () => {
  const paths = (await readAllDevices()).map(({ path }) => path);
  assert.ok(paths.includes('/dev/null'));
  assert.ok(!paths.some((path) => path.startsWith('/dev/pts/') || path === '/dev/console'));
});

test('runtimes are found also with a poor PATH', async () => {
  assert.match((await findExecutable('sh', '')) ?? '', /\/sh$/);
  assert.equal(await findExecutable('no-such-program'), undefined);
  assert.equal(await findExecutable('/etc/passwd'), undefined);
});

test('the kernel’s version is read from its release', async () => {
  assert.deepEqual(parseKernelRelease('6.18.44-fc-v657'), [6, 18]);
  const facts = await readHostFacts();
  assert.ok(facts.kernel[0] >= 4 && /^[0-9a-f]+$/.test(facts.capabilityMask) && facts.bootId.length === 36);
});
