import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError } from '../../lib/errors.ts';
import { ContainerRecords } from './records.ts';
import { type Bench, openBench } from './testing/bench.ts';

/** The disk refuses the next `times` writes of states. */
function fillDisk(t: Parameters<typeof openBench>[0], bench: Bench, failure: () => Error): { full: boolean } {
  const disk = { full: true };
  const sql = bench.db.sql.bind(bench.db);
  t.mock.method(bench.db, 'sql', (text: string) => {
    if (disk.full && text.startsWith('UPDATE')) throw failure();
    return sql(text);
  });
  return disk;
}

const diskFull = (): Error => new GantryError('exhausted', 'DISK_FULL', 'no space left on device');

test('an exit on a full disk is true at once, and written as soon as there is room', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const stored = (): string => new ContainerRecords(bench.db).find(id).state.phase;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const disk = fillDisk(t, bench, diskFull);
  await bench.exit(id, 3);
  assert.equal(bench.stateOf(id).phase, 'exited');
  assert.equal(stored(), 'running');
  t.mock.timers.tick(5000);
  assert.equal(stored(), 'running', 'still full');
  disk.full = false;
  t.mock.timers.tick(5000);
  assert.equal(stored(), 'exited');
});

test('what still waits for room is written when the daemon ends', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const disk = fillDisk(t, bench, diskFull);
  await bench.exit(id, 3);
  disk.full = false;
  bench.records[Symbol.dispose]();
  assert.equal(new ContainerRecords(bench.db).find(id).state.exitCode, 3);
});

test('a failure of the records that is not the disk’s is never swallowed', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const disk = fillDisk(t, bench, () => new Error('a bug'));
  assert.throws(() => bench.records.update(id, { state: { pid: 5 } }), /a bug/);
  disk.full = false;
});

test('a change of a container that is gone changes nothing, and says so', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  await bench.face.remove('web', { force: false, volumes: false, link: false });
  assert.equal(bench.records.update(id, { state: { phase: 'running' } }), undefined);
  bench.records.remove(id);
  assert.throws(() => bench.records.rename(id, 'other'), { code: 'NO_SUCH_CONTAINER' });
  assert.deepEqual(bench.records.all(), []);
});

test('records that a newer program wrote stop an older one, rather than lose what it does not know', async (t) => {
  const bench = openBench(t);
  await bench.create('web');
  bench.db.sql("UPDATE schema_versions SET version = 99 WHERE name = 'containers'").run();
  assert.throws(() => new ContainerRecords(bench.db), { code: 'RECORDS_NEWER' });
});

test('a record that is no record is said by name, not taken for a container', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  bench.db.sql('UPDATE containers SET state = ?').run('{"phase":"flying"}');
  assert.throws(() => new ContainerRecords(bench.db), new RegExp(id));
});

test('a free name is found among taken ones, and its lack is an error, not an endless search', async (t) => {
  const bench = openBench(t);
  t.mock.method(Map.prototype, 'has', () => true);
  assert.throws(() => bench.records.freeName(), { kind: 'exhausted', code: 'NO_FREE_NAME' });
});
