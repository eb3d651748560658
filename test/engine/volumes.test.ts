// Owns what a container's volumes and mounts hold, who owns it, and when it goes.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { must as command } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const said = (...args: string[]) => daemon.gantry(...args);
const must = async (...args: string[]) => {
  const { code, stdout, stderr } = await said(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};
const volumes = () => readdirSync(join(daemon.dataRoot, 'volumes'));

/** busybox with a folder `/data` whose owner, mode, link, xattr and time are out of the ordinary. */
async function makeImage(): Promise<void> {
  const tree = join(daemon.root, 'tree');
  mkdirSync(join(tree, 'data/inner'), { recursive: true });
  mkdirSync(join(tree, 'bin'));
  await command('cp', ['/bin/busybox', join(tree, 'bin/busybox')]);
  writeFileSync(join(tree, 'data/file'), 'content');
  const steps = [
    ['ln', '-s', 'file', join(tree, 'data/link')],
    ['ln', join(tree, 'data/file'), join(tree, 'data/hard')],
    ['ln', '-s', 'data', join(tree, 'alias')],
    ['chown', '-R', '33:44', join(tree, 'data')],
    ['chmod', '2751', join(tree, 'data')],
    ['chmod', '4640', join(tree, 'data/file')],
    ['touch', '-d', '2001-02-03 04:05:06 UTC', join(tree, 'data/file')],
  ];
  for (const [program = '', ...args] of steps) await command(program, args);
  const tar = join(daemon.root, 'tree.tar');
  await command('tar', ['-cf', tar, '-C', tree, '.']);
  const said = await command('curl', [
    ...['-sS', '--fail', '--unix-socket', daemon.socket, '-X', 'POST', '-H', 'Content-Type: application/x-tar'],
    ...['--data-binary', `@${tar}`, 'http://x/images/create?fromSrc=-&repo=tree'],
  ]);
  assert.match(said, /sha256/);
}

const LOOK = 'busybox stat -c "%n %u:%g %a %h %Y" /v /v/file /v/link /v/inner; busybox readlink /v/link';

test('an empty volume gets the image’s content with owners, modes, links and times; nocopy and a filled one do not', async () => {
  await makeImage();
  const look = (...flags: string[]) => must('run', '--rm', ...flags, 'tree', '/bin/busybox', 'sh', '-c', LOOK);
  const wanted = (await look('-v', 'filled:/data', '-v', 'filled:/v')).split('\n');
  assert.match(wanted[0] ?? '', /^\/v 33:44 2751 3 /);
  assert.match(wanted[1] ?? '', /^\/v\/file 33:44 4640 2 981173106$/);
  assert.equal(wanted.at(-1), 'file');
  await must('run', '--rm', '-v', 'filled:/data', 'tree', '/bin/busybox', 'rm', '/data/link');
  const second = await must('run', '--rm', '-v', 'filled:/data', 'tree', '/bin/busybox', 'ls', '/data');
  assert.equal(second, 'file\nhard\ninner', 'not filled again');
  const none = await must('run', '--rm', '-v', 'bare:/data:nocopy', 'tree', '/bin/busybox', 'ls', '/data');
  assert.equal(none, '');
  const alias = await must('run', '--rm', '-v', 'linked:/alias', 'tree', '/bin/busybox', 'ls', '/data');
  assert.equal(alias, 'file\nhard\ninner\nlink', 'a mount point that is a link is filled from where it leads');
  await must('volume', 'rm', 'filled', 'bare', 'linked');
  assert.deepEqual(volumes(), []);
});

test('--rm takes anonymous volumes along, named ones stay; one that is in use cannot go', async () => {
  await must('run', '--rm', '-v', '/anonymous', '-v', 'named:/n', 'busybox', 'sh', '-c', 'echo kept > /n/f');
  assert.deepEqual(volumes(), ['named']);
  await must('run', '-d', '--name', 'user', '-v', '/anonymous', '-v', 'named:/n', 'busybox', 'sleep', '1000');
  const refused = await said('volume', 'rm', 'named');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /remove named: volume is in use - \[[0-9a-f]{64}\]/);
  assert.equal(await must('run', '--rm', '--volumes-from', 'user:ro', 'busybox', 'cat', '/n/f'), 'kept');
  const readOnly = await said('run', '--rm', '--volumes-from', 'user:ro', 'busybox', 'touch', '/anonymous/x');
  assert.match(readOnly.stderr, /Read-only file system/);
  await must('rm', '-f', '-v', 'user');
  assert.deepEqual(volumes(), ['named']);
  await must('volume', 'rm', 'named');
});

test('a missing host path is made for -v and refused for --mount; files and sockets can be bound', async () => {
  const fresh = join(daemon.root, 'fresh/er');
  await must('run', '--rm', '-v', `${fresh}:/x`, 'busybox', 'touch', '/x/made');
  assert.ok(existsSync(join(fresh, 'made')));
  const missing = join(daemon.root, 'missing');
  const refused = await said('run', '--rm', '--mount', `type=bind,src=${missing},dst=/x`, 'busybox', 'true');
  assert.equal(refused.code, 125);
  assert.ok(refused.stderr.includes(`bind source path does not exist: ${missing}`), refused.stderr);
  const file = join(daemon.root, 'file');
  writeFileSync(file, 'of the host');
  const readOnly = await said('run', '--rm', '-v', `${file}:/f:ro`, 'busybox', 'sh', '-c', 'cat /f; echo x > /f');
  assert.equal(readOnly.stdout, 'of the host');
  assert.match(readOnly.stderr, /Read-only file system/);
  const socket = join(daemon.root, 'socket');
  const server = createServer().listen(socket);
  try {
    await must('run', '--rm', '-v', `${socket}:/s`, 'busybox', 'test', '-S', '/s');
  } finally {
    server.close();
  }
});

test('a volume that the engine noted before it died is there, one it was removing is not', async () => {
  await must('volume', 'create', 'noted');
  await daemon.kill9();
  await command('rm', ['-r', join(daemon.dataRoot, 'volumes/noted')]);
  mkdirSync(join(daemon.dataRoot, 'volumes/.removed-0123/_data'), { recursive: true });
  await daemon.start();
  assert.equal(await must('run', '--rm', '-v', 'noted:/x', 'busybox', 'sh', '-c', 'echo in > /x/f; cat /x/f'), 'in');
  await must('volume', 'rm', 'noted');
  assert.deepEqual(volumes(), []);
});

test('of containers that start together on an empty volume each finds it filled', async () => {
  const runs = Array.from({ length: 4 }, () => must('run', '--rm', '-v', 'common:/bin', 'busybox', 'ls', '/bin'));
  const [first, ...others] = await Promise.all(runs);
  for (const other of others) assert.equal(other, first);
  await must('volume', 'rm', 'common');
});
