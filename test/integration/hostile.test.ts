// Owns archives made to break out or to lie, as a person would load them. The file system outside stays as it is.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blobPath, type Layer, packLayer, readManifest, sha256, writeLayout } from '../../tools/images/layout.ts';
import { busybox } from '../fixtures/busybox.ts';
import { must, type Said } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
let root: string;
before(async () => {
  daemon = await startDaemon();
  root = mkdtempSync(join(tmpdir(), 'gantry-test-hostile-'));
  await daemon.load((await busybox()).archive);
});
after(async () => {
  rmSync(root, { recursive: true, force: true });
  await daemon?.[Symbol.asyncDispose]();
});

/** The engine, and nobody else, refused it: in its answer, or in the stream of one, which the CLI prints bare. */
function assertRefused(said: Said, what: string): void {
  const refusal =
    /^(Error response from daemon: |unexpected EOF|invalid entry name |filesystem layer verification failed for digest )/;
  assert.equal(said.code, 1, `${what}: ${said.stdout}${said.stderr}`);
  assert.match(said.stderr, refusal, what);
}

/** A tar of one file called `name`, taken literally. */
async function tarNamed(name: string): Promise<string> {
  const folder = mkdtempSync(join(root, 'named-'));
  writeFileSync(join(folder, 'payload'), 'escaped');
  await must('tar', [
    '-C',
    folder,
    '-P',
    `--transform=s|payload|${name}|`,
    '-cf',
    join(folder, 'layer.tar'),
    'payload',
  ]);
  return join(folder, 'layer.tar');
}

/** An OCI archive whose only layer is that tar. */
async function imageOf(layerTar: string, name: string): Promise<string> {
  const folder = mkdtempSync(join(root, 'image-'));
  mkdirSync(join(folder, 'layout/blobs/sha256'), { recursive: true });
  const bytes = readFileSync(layerTar);
  const digest = sha256(bytes);
  copyFileSync(layerTar, blobPath(join(folder, 'layout'), digest));
  const mediaType = 'application/vnd.oci.image.layer.v1.tar';
  const layer: Layer = { mediaType, digest, diffId: digest, size: bytes.length };
  writeLayout(join(folder, 'layout'), name, [layer], { Cmd: ['true'] });
  await must('tar', ['-C', join(folder, 'layout'), '-cf', join(folder, 'image.tar'), '.']);
  return join(folder, 'image.tar');
}

const target = () => `/tmp/gantry-test-escaped-${randomBytes(4).toString('hex')}`;

test('a name that climbs out with .. is refused', async () => {
  const path = target();
  for (const name of [`../../../../../../../..${path}`, `a/../../../../../../..${path}`]) {
    const said = await daemon.gantry('load', '-i', await imageOf(await tarNamed(name), 'hostile:dots'));
    assert.equal(existsSync(path), false, `${name} came out`);
    assertRefused(said, name);
  }
});

test('an absolute name stays inside', async () => {
  const path = target();
  await daemon.gantry('load', '-i', await imageOf(await tarNamed(path), 'hostile:absolute'));
  assert.equal(existsSync(path), false);
});

test('a file behind a link that points out stays inside', async () => {
  const name = target().slice('/tmp/'.length);
  const folder = mkdtempSync(join(root, 'link-'));
  mkdirSync(join(folder, 'second/way'), { recursive: true });
  mkdirSync(join(folder, 'first'));
  symlinkSync('/tmp', join(folder, 'first/way'));
  writeFileSync(join(folder, 'second/way', name), 'escaped');
  const tar = join(folder, 'layer.tar');
  await must('tar', ['-C', join(folder, 'first'), '-cf', tar, 'way']);
  await must('tar', ['-C', join(folder, 'second'), '-rf', tar, `way/${name}`]);
  await daemon.gantry('load', '-i', await imageOf(tar, 'hostile:link'));
  assert.equal(existsSync(`/tmp/${name}`), false);
});

test('a layer that is not what its digest says is refused', async () => {
  const { layout } = await busybox();
  const folder = mkdtempSync(join(root, 'flipped-'));
  cpSync(layout, join(folder, 'layout'), { recursive: true });
  const [layer] = readManifest(layout).layers;
  const path = blobPath(join(folder, 'layout'), layer?.digest ?? '');
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await must('tar', ['-C', join(folder, 'layout'), '-cf', join(folder, 'image.tar'), '.']);
  await daemon.gantry('rmi', '-f', 'busybox');
  const said = await daemon.gantry('load', '-i', join(folder, 'image.tar'));
  assertRefused(said, 'a flipped bit');
  assert.equal((await daemon.gantry('images', '-q', 'busybox')).stdout, '');
});

test('a truncated archive is refused, and leaves nothing half made', async () => {
  const { archive } = await busybox();
  const cut = join(root, 'cut.tar');
  const size = statSync(archive).size;
  for (const part of [0.1, 0.5, 0.9]) {
    writeFileSync(cut, readFileSync(archive).subarray(0, Math.floor(size * part)));
    assertRefused(await daemon.gantry('load', '-i', cut), `${part * 100} % of it`);
  }
  assert.deepEqual(readdirSync(join(daemon.dataRoot, 'content/ingest')), []);
  await daemon.load(archive);
  assert.equal((await daemon.gantry('run', '--rm', 'busybox', 'echo', 'whole')).stdout, 'whole\n');
});

test("a container's own links do not lead the engine out: no host file is seen as its passwd", async () => {
  const folder = mkdtempSync(join(root, 'passwd-'));
  mkdirSync(join(folder, 'root/etc'), { recursive: true });
  cpSync('/bin/busybox', join(folder, 'root/sh'));
  writeFileSync(join(root, 'secret'), 'trojan:x:4242:4242::/:/sh\n');
  symlinkSync(join(root, 'secret'), join(folder, 'root/etc/passwd'));
  mkdirSync(join(folder, 'layout'));
  const layer = await packLayer(join(folder, 'layout'), join(folder, 'root'));
  writeLayout(join(folder, 'layout'), 'hostile:passwd', [layer], { Cmd: ['/sh', 'id'] });
  await must('tar', ['-C', join(folder, 'layout'), '-cf', join(folder, 'image.tar'), '.']);
  await daemon.load(join(folder, 'image.tar'));
  const said = await daemon.gantry('run', '--rm', '-u', 'trojan', 'hostile:passwd', '/sh', 'id', '-u');
  assert.equal(said.code, 125);
  assert.match(said.stderr, /unable to find user trojan/);
});
