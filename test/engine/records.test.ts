// Owns records that are gone, damaged or too new: the engine deletes nothing for want of them, says so, and brings back what it can.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

interface World extends AsyncDisposable {
  readonly daemon: Daemon;
  /** Flags of the next start. */
  readonly flags: string[];
  readonly must: (...args: string[]) => Promise<string>;
}

/** A daemon that was stopped in order, with a running container, a stopped one, and a volume with data. */
async function makeWorld(): Promise<World> {
  const flags: string[] = [];
  const daemon = await startDaemon({ args: flags });
  await daemon.load((await busybox()).archive);
  const must = async (...args: string[]): Promise<string> => {
    const said = await daemon.gantry(...args);
    assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
    return said.stdout.trim();
  };
  await must(
    'run',
    '-d',
    '--name',
    'lasting',
    '-v',
    'kept:/data',
    'busybox',
    'sh',
    '-c',
    'echo precious > /data/file; sleep 1000',
  );
  await must('run', '--name', 'ended', 'busybox', 'sh', '-c', 'echo output; exit 3').catch(() => undefined);
  await daemon.stop();
  return { daemon, flags, must, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

const dbFile = ({ daemon }: World, suffix = ''): string => join(daemon.dataRoot, `gantry.db${suffix}`);

function removeRecords(world: World): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(dbFile(world, suffix), { force: true });
}

/** What a start says that must not succeed: one line. */
async function refusal(world: World): Promise<string> {
  const before = world.daemon.log().length;
  const started = await world.daemon.start().then(
    () => true,
    () => false,
  );
  assert.equal(started, false, 'it started');
  const failure = world.daemon.log().slice(before);
  const lines = failure.split('\n').filter((line) => line.startsWith('gantryd: '));
  assert.equal(lines.length, 1, failure);
  assert.doesNotMatch(failure, /\n {4}at /);
  return lines[0] ?? '';
}

async function recover({ daemon, flags }: World): Promise<void> {
  flags.push('--recover');
  await daemon.start();
  flags.length = 0;
}

test('with its records gone the engine refuses to start, and --recover brings all back from their copy', async () => {
  await using world = await makeWorld();
  removeRecords(world);
  const { layers, containers } = { layers: 'layers', containers: 'containers' };
  const before = [layers, containers].map((name) => readdirSync(join(world.daemon.dataRoot, name)));
  for (const spoil of [() => undefined, () => writeFileSync(dbFile(world), '')]) {
    spoil();
    assert.match(await refusal(world), /holds content, but its records \(gantry.db\) are gone or empty; .*--recover/);
  }
  assert.deepEqual(
    [layers, containers].map((name) => readdirSync(join(world.daemon.dataRoot, name))),
    before,
  );
  await recover(world);
  const { must } = world;
  assert.equal(await must('inspect', '-f', '{{.State.Status}}', 'lasting'), 'running');
  assert.equal(await must('exec', 'lasting', 'cat', '/data/file'), 'precious');
  assert.equal(await must('inspect', '-f', '{{.State.ExitCode}}', 'ended'), '3');
  assert.equal(await must('logs', 'ended'), 'output');
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'image'), 'image');
});

test('without a copy --recover finds images and volumes by their files, and keeps the files of containers', async () => {
  await using world = await makeWorld();
  removeRecords(world);
  rmSync(dbFile(world, '.copy'));
  await recover(world);
  const { daemon, must } = world;
  assert.equal(await must('ps', '-aq'), '');
  const [image = ''] = (await must('images', '-q')).split('\n');
  assert.equal(await must('run', '--rm', '-v', 'kept:/data', image, 'cat', '/data/file'), 'precious');
  const aside = readdirSync(join(daemon.dataRoot, 'lost+found'));
  assert.equal(aside.length, 2);
  const logs = aside.flatMap((name) => readdirSync(join(daemon.dataRoot, 'lost+found', name)));
  assert.equal(logs.filter((name) => name.endsWith('-json.log')).length, 2);
});

test('damaged records are one clear line, and --recover keeps the damaged file', async () => {
  await using world = await makeWorld();
  writeFileSync(dbFile(world), Buffer.alloc(8192, 'damage'));
  assert.match(await refusal(world), /the records are damaged: .*; start once with --recover/);
  await recover(world);
  assert.ok(existsSync(dbFile(world, '.damaged-1')));
  assert.equal(await world.must('exec', 'lasting', 'cat', '/data/file'), 'precious');
});

test('records that a newer engine wrote are refused by name, and that engine finds them as they were', async () => {
  await using world = await makeWorld();
  const setVersion = (version: string): void => {
    using db = new DatabaseSync(dbFile(world));
    db.exec(`UPDATE migrations SET version = version ${version} WHERE name = 'containers'`);
  };
  setVersion('+ 1');
  for (const _ of [1, 2])
    assert.match(await refusal(world), /the records of containers are of version \d+, .*; a newer version/);
  setVersion('- 1');
  await world.daemon.start();
  assert.equal(await world.must('exec', 'lasting', 'cat', '/data/file'), 'precious');
});
