// Layers and configurations that were lost, emptied or changed on disk: what is claimed to be there is looked at, repaired from
// its source, and named where it is missing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isGantryError } from '../../src/lib/errors.ts';
import { openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import {
  archiveOf,
  collect,
  imageOf,
  layerOf,
  NEVER,
  openWorkbench,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

const LAYER = layerOf(
  tarOf(
    { name: 'etc/', type: 'directory' },
    { name: 'etc/passwd', data: 'root' },
    { name: 'bin/', type: 'directory' },
    { name: 'bin/tool', data: 'x'.repeat(100_000), mode: 0o755 },
    { name: 'bin/link', type: 'symlink', linkName: 'tool' },
    { name: 'empty', data: '' },
    { name: 'gone', data: 'first' },
    { name: 'gone', data: 'second' },
    { name: '.wh.hidden', data: '' },
  ),
);
const BASE = layerOf(tarOf({ name: 'base', data: 'base' }));
const IMAGE = imageOf([BASE, LAYER]);
const ARCHIVE = archiveOf([{ image: IMAGE, tags: ['demo:1'] }]);

const load = (bench: Workbench): Promise<readonly string[]> =>
  bench.images.load(streamOf(ARCHIVE), bench.report, NEVER);

/** The folder of the image's top layer. */
const topOf = (bench: Workbench): string => bench.images.layerPaths(IMAGE.id)[0] ?? '';

async function assertWhole(bench: Workbench, what: string): Promise<void> {
  const top = topOf(bench);
  assert.equal(readFileSync(join(top, 'etc/passwd'), 'utf8'), 'root', what);
  assert.equal(lstatSync(join(top, 'bin/tool')).size, 100_000, what);
  assert.equal(lstatSync(join(top, 'bin/tool')).mode & 0o7777, 0o755, what);
  assert.equal(readlinkSync(join(top, 'bin/link')), 'tool', what);
  const saved = await collect(bench.images.save(['demo:1'], NEVER));
  assert.ok(saved.includes(LAYER.tar), what);
  await using lease = await bench.images.lease(IMAGE.id);
  assert.equal(lease.lowerDirs.length, 2, what);
}

const DAMAGES: Readonly<Record<string, (top: string) => void>> = {
  'a layer folder that is lost': (top) => rmSync(top, { recursive: true }),
  'a layer folder that was emptied': (top) => {
    for (const name of readdirSync(top)) rmSync(join(top, name), { recursive: true });
  },
  'a layer folder that is a file now': (top) => {
    rmSync(top, { recursive: true });
    writeFileSync(top, 'x');
  },
  'a folder in a layer that is lost': (top) => rmSync(join(top, 'bin'), { recursive: true }),
  'a file in a layer that is lost': (top) => unlinkSync(join(top, 'etc/passwd')),
  'an empty file in a layer that is lost': (top) => unlinkSync(join(top, 'empty')),
  'a symlink in a layer that is lost': (top) => unlinkSync(join(top, 'bin/link')),
  'a file in a layer that was cut': (top) => truncateSync(join(top, 'bin/tool'), 50),
  'a file in a layer that was changed, with its old time': (top) => {
    const path = join(top, 'etc/passwd');
    const { atime, mtime } = lstatSync(path);
    writeFileSync(path, 'evil');
    utimesSync(path, atime, mtime);
  },
  'a file in a layer that grew': (top) => appendFileSync(join(top, 'etc/passwd'), 'more'),
  'a file in a layer whose mode was changed': (top) => chmodSync(join(top, 'bin/tool'), 0o600),
  'a symlink in a layer that leads elsewhere': (top) => {
    unlinkSync(join(top, 'bin/link'));
    symlinkSync('/etc/passwd', join(top, 'bin/link'));
  },
  'a skeleton that is lost': (top) => unlinkSync(`${top}.skeleton`),
  'a skeleton that was cut': (top) => truncateSync(`${top}.skeleton`, 20),
  'a replaced file that is lost': (top) => rmSync(`${top}.replaced`, { recursive: true }),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`${what} is unpacked anew by load, and by pull`, async () => {
    await using registry = await openFakeRegistry();
    await using bench = openWorkbench();
    registry.push('demo', '1', IMAGE);
    const pull = { reference: `${registry.host}/demo:1` };
    await load(bench);
    damage(topOf(bench));
    await load(bench);
    await assertWhole(bench, 'after load');
    damage(topOf(bench));
    bench.progress.length = 0;
    await bench.images.pull(pull, bench.report, NEVER);
    await assertWhole(bench, 'after pull');
    const layers = bench.progress.filter(({ phase }) => phase).map(({ status }) => status);
    assert.equal(layers.filter((status) => status === 'Already exists').length, 1, 'the layer below is not fetched');
    assert.equal(layers.filter((status) => status === 'Pull complete').length, 1);
    assert.equal(readdirSync(join(bench.root, 'content/ingest')).length, 0);
    await bench.images.sweep();
    assert.equal(bench.leftovers().filter((name) => /layers\/\d+$/.test(name)).length, 2, 'what it was before is gone');
  });
}

for (const what of [
  'a layer folder that is lost',
  'a layer folder that was emptied',
  'a folder in a layer that is lost',
]) {
  test(`${what} is named by the start that needs it, with what to do`, async () => {
    await using bench = openWorkbench();
    await load(bench);
    DAMAGES[what]?.(topOf(bench));
    await assert.rejects(bench.images.lease(IMAGE.id), (error: unknown) => {
      assert.ok(isGantryError(error, 'system'));
      assert.ok(error.message.startsWith(`layer ${LAYER.diffId} of image ${IMAGE.id} is damaged: `), error.message);
      assert.match(error.message, /is gone$/);
      assert.match(error.hint ?? '', /pull or load the image again/);
      return true;
    });
    await load(bench);
    await assertWhole(bench, 'after load');
  });
}

test('saving a damaged layer names it, and breaks off', async () => {
  await using bench = openWorkbench();
  await load(bench);
  unlinkSync(join(topOf(bench), 'etc/passwd'));
  await assert.rejects(
    collect(bench.images.save(['demo:1'], NEVER)),
    /^GantryError: layer sha256:.* is damaged: the file etc\/passwd is gone$/,
  );
});

test('a layer whose folder is gone at the start of the engine does not stand in the way of others', async () => {
  await using bench = openWorkbench();
  await load(bench);
  const top = topOf(bench);
  // The highest number goes: the next layer must not take it over from a record that still has it.
  rmSync(top, { recursive: true });
  rmSync(`${top}.skeleton`);
  rmSync(`${top}.replaced`, { recursive: true });
  await bench.restart();
  const other = imageOf([layerOf(tarOf({ name: 'other', data: 'other' }))]);
  await bench.images.load(streamOf(archiveOf([{ image: other, tags: ['other:1'] }])), bench.report, NEVER);
  await assert.rejects(bench.images.lease(IMAGE.id), /is damaged: the folder .* is gone/);
  await load(bench);
  await assertWhole(bench, 'repaired after the restart');
  await bench.restart();
  await assertWhole(bench, 'after one more restart');
});

test('layers on a disk that was not mounted at the start are not forgotten', async () => {
  await using bench = openWorkbench();
  await load(bench);
  const layers = join(bench.root, 'layers');
  renameSync(layers, `${layers}.away`);
  await bench.restart();
  await assert.rejects(bench.images.lease(IMAGE.id), /is gone/);
  await bench.images.sweep();
  rmSync(layers, { recursive: true });
  renameSync(`${layers}.away`, layers);
  await bench.restart();
  await assertWhole(bench, 'mounted again');
});

test('a root that was copied from a backup is taken as it is: nothing is fetched again', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  await load(bench);
  const layers = join(bench.root, 'layers');
  execFileSync('cp', ['-a', layers, `${layers}.copy`]);
  rmSync(layers, { recursive: true });
  renameSync(`${layers}.copy`, layers);
  await bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, NEVER);
  assert.ok(registry.seen.every(({ url }) => !url.includes(LAYER.blobDigest)));
  await using _lease = await bench.images.lease(IMAGE.id);
});

test('the folder that a repaired layer had stays while a container has it mounted', async () => {
  let running = true;
  const users = { usersOf: () => (running ? [{ containerId: 'c'.repeat(64), running }] : []) };
  await using bench = openWorkbench({ users });
  await load(bench);
  const before = topOf(bench);
  unlinkSync(join(before, 'etc/passwd'));
  await load(bench);
  assert.notEqual(topOf(bench), before);
  await bench.images.sweep();
  assert.ok(existsSync(join(before, 'bin/tool')), 'a running container still reads it');
  await bench.restart();
  await bench.images.sweep();
  assert.ok(existsSync(join(before, 'bin/tool')), 'also for the engine that comes after');
  running = false;
  await bench.images.sweep();
  assert.ok(!existsSync(before) && !existsSync(`${before}.skeleton`) && !existsSync(`${before}.replaced`));
  await assertWhole(bench, 'and the repaired one is still there');
});

test('an import whose layer is there but damaged brings it back', async () => {
  await using bench = openWorkbench();
  await load(bench);
  rmSync(topOf(bench), { recursive: true });
  const record = await bench.images.import(streamOf(LAYER.tar), { changes: [], message: '' }, bench.report, NEVER);
  assert.deepEqual(record.diffIds, [LAYER.diffId]);
  await assertWhole(bench, 'after import');
});

test('several loads of one damaged layer at once repair it once', async () => {
  await using bench = openWorkbench();
  await load(bench);
  rmSync(topOf(bench), { recursive: true });
  await Promise.all([load(bench), load(bench), load(bench)]);
  await assertWhole(bench, 'after three loads');
  await bench.images.sweep();
  assert.equal(bench.leftovers().filter((name) => /layers\/\d+$/.test(name)).length, 2);
});

test('a configuration that is lost or damaged is fetched again by pull, written again by load, and named by save', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  await load(bench);
  const blob = join(bench.root, 'content/blobs/sha256', IMAGE.id.slice(7));
  const spoil: readonly (() => void)[] = [
    () => unlinkSync(blob),
    () => writeFileSync(blob, 'other'),
    () => mkdirFor(blob),
  ];
  for (const act of spoil) {
    act();
    await assert.rejects(
      collect(bench.images.save(['demo:1'], NEVER)),
      /the configuration of image sha256:\w+ is lost: /,
    );
    await load(bench);
    assert.ok(readFileSync(blob).equals(IMAGE.config), 'load');
    act();
    await bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, NEVER);
    assert.ok(readFileSync(blob).equals(IMAGE.config), 'pull');
  }
});

/** A folder where a blob was. */
function mkdirFor(path: string): void {
  rmSync(path);
  mkdirSync(path);
}
