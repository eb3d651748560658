import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openDatabase } from '../store/database.ts';
import { engineId, makeFolders } from './folders.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-folders-'));
});
after(() => rmSync(dir, { recursive: true }));

const mode = (path: string) => statSync(path).mode & 0o777;

test('no other user of the host looks into images, volumes and containers: they hold setuid programs', async () => {
  const [dataRoot, execRoot] = [join(dir, 'a/data'), join(dir, 'a/exec')];
  const folders = await makeFolders(dataRoot, execRoot);
  const { content, layers, containers, volumes, shims } = folders;
  for (const path of [dataRoot, execRoot, content, layers, containers, volumes, shims]) {
    assert.equal(mode(path) & 0o007, 0, path);
  }
});

test('a container on an image without /dev, /proc or /etc finds the places of its mounts', async () => {
  const { initLayer } = await makeFolders(join(dir, 'b/data'), join(dir, 'b/exec'));
  const found = readdirSync(initLayer, { recursive: true, encoding: 'utf8' }).sort();
  const folders = ['dev', 'dev/pts', 'dev/shm', 'etc', 'proc', 'sys'];
  const files = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/mtab', 'etc/resolv.conf'];
  assert.deepEqual(found, [...folders, ...files].sort());
  assert.equal(readlinkSync(join(initLayer, 'etc/mtab')), '/proc/mounts');
  for (const path of folders) assert.ok(lstatSync(join(initLayer, path)).isDirectory(), path);
});

test('a second start keeps what is there, with the mode that the administrator gave it', async () => {
  const roots = [join(dir, 'c/data'), join(dir, 'c/exec')] as const;
  const first = await makeFolders(...roots);
  mkdirSync(join(first.volumes, 'kept'));
  rmSync(first.layers, { recursive: true });
  mkdirSync(first.layers, { mode: 0o700 });
  assert.deepEqual(await makeFolders(...roots), first);
  assert.deepEqual(readdirSync(first.volumes), ['kept']);
  assert.equal(mode(first.layers), 0o700);
});

test('a data root that is a file stops the start with its name', async () => {
  const path = join(dir, 'file');
  writeFileSync(path, '');
  await assert.rejects(makeFolders(path, join(dir, 'd')), { code: 'EEXIST', path });
});

test('the engine keeps its id over restarts, and two engines have two', () => {
  const path = join(dir, 'records.db');
  const open = (file: string) => {
    using db = openDatabase(file);
    return engineId(db);
  };
  const id = open(path);
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(open(path), id);
  assert.notEqual(open(join(dir, 'other.db')), id);
});
