import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { type Database, openDatabase } from '../store/database.ts';
import { copyPathOf } from '../store/rescue.ts';
import { type Folders, makeFolders } from './folders.ts';
import { describeRescue, keepCopy, openRecords, type Rescued, refuseForgotten, takeUpTheRest } from './rescue.ts';

let base = '';
let count = 0;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-rescue-'));
});
after(() => rmSync(base, { recursive: true }));

interface Place {
  readonly dataRoot: string;
  readonly folders: Folders;
  readonly db: Database;
}

async function makePlace(): Promise<Place> {
  const dataRoot = join(base, String(++count));
  const folders = await makeFolders(dataRoot, join(dataRoot, 'exec'));
  return { dataRoot, folders, db: openDatabase(join(dataRoot, 'gantry.db')) };
}

test('damaged records stop the start and say how to go on', () => {
  const path = join(base, 'damaged.db');
  writeFileSync(path, 'this is no database, and it is long enough to be looked at'.repeat(100));
  assert.throws(() => openRecords(path), { code: 'RECORDS_DAMAGED', hint: /--recover/ });
});

test('other failures to open the records keep their own hint: --recover would not help', () => {
  const missing = () => openRecords(join(base, 'no/such/folder/gantry.db'));
  assert.throws(missing, (error: Error & { hint?: string }) => !/--recover/.test(error.hint ?? ''));
});

test('an empty data root is a new engine, not a lost one', async () => {
  const { db, dataRoot, folders } = await makePlace();
  await refuseForgotten(db, dataRoot, folders);
  db[Symbol.dispose]();
});

for (const kind of ['containers', 'volumes', 'layers', 'content'] as const) {
  test(`${kind} without records are not taken for rubbish: the start is refused`, async () => {
    const { db, dataRoot, folders } = await makePlace();
    mkdirSync(join(folders[kind], kind === 'content' ? 'blobs/sha256/abc' : 'something'), { recursive: true });
    await assert.rejects(refuseForgotten(db, dataRoot, folders), {
      kind: 'conflict',
      code: 'RECORDS_MISSING',
      message: new RegExp(dataRoot),
      hint: /--recover/,
    });
    db.migrate({ name: 'any', steps: ['SELECT 1'] });
    await refuseForgotten(db, dataRoot, folders);
    db[Symbol.dispose]();
  });
}

/** What a rescue works on: records of `known` containers; images and volumes that take up nothing. */
function rescued({ dataRoot, folders }: Place, known: readonly string[]) {
  const calls: string[] = [];
  const left = new Set(known);
  const engine = {
    dataRoot,
    folders,
    records: {
      all: () => [...left].map((id) => ({ id, name: `name-${id}` })),
      byId: (id: string) => (left.has(id) ? { id } : undefined),
      remove: (id: string) => void left.delete(id),
    },
    images: { adopt: async () => ({ layers: 3, images: 2 }) },
    volumes: { adopt: async () => ['v'] },
    log: (level: string, message: string) => void calls.push(`${level}: ${message}`),
  };
  // Of records and images a rescue uses nothing else.
  return { engine: engine as unknown as Rescued, calls, left };
}

test('the log and the files of a container whose record is lost are kept aside, those of a known one stay', async () => {
  const place = await makePlace();
  const { folders, dataRoot } = place;
  for (const id of ['known', 'lost']) {
    mkdirSync(join(folders.containers, id));
    writeFileSync(join(folders.containers, id, 'log'), id);
  }
  const { engine, calls } = rescued(place, ['known']);
  await takeUpTheRest(engine);
  assert.deepEqual(readdirSync(folders.containers), ['known']);
  assert.equal(readFileSync(join(dataRoot, 'lost+found/container-lost/log'), 'utf8'), 'lost');
  assert.match(calls.at(-1) ?? '', /^warn: container lost: .*lost\+found/);
  place.db[Symbol.dispose]();
});

test('a record whose folder is gone goes, and the user is told by the container’s name', async () => {
  const place = await makePlace();
  mkdirSync(join(place.folders.containers, 'a'));
  const { engine, calls, left } = rescued(place, ['a', 'b']);
  await takeUpTheRest(engine);
  assert.deepEqual([...left], ['a']);
  assert.match(calls.at(-1) ?? '', /^warn: container name-b \(b\): its folder is gone/);
  assert.ok(!existsSync(join(place.dataRoot, 'lost+found')), 'nothing was set aside');
  place.db[Symbol.dispose]();
});

test('what was taken up is counted for the user', async () => {
  const place = await makePlace();
  const { engine, calls } = rescued(place, []);
  await takeUpTheRest(engine);
  assert.deepEqual(calls, ['info: recovered without records: 3 layers, 2 images, 1 volumes']);
  place.db[Symbol.dispose]();
});

test('a rescue says what came back, table by table, and where the damaged file lies', () => {
  const rows = new Map([
    ['containers', 4],
    ['volumes', 0],
    ['images', 2],
  ]);
  const cases = [
    [{ healthy: true, rows: new Map() }, ['the records are whole']],
    [
      { healthy: false, setAside: '/x.damaged-1', rows },
      ['the damaged records lie in /x.damaged-1', 'rows recovered: containers 4, images 2'],
    ],
    [{ healthy: false, rows: new Map([['images', 0]]) }, ['no record could be recovered']],
  ] as const;
  for (const [rescue, wanted] of cases) assert.deepEqual(describeRescue(rescue), wanted);
});

/** Records that change and are copied by word of mouth. */
function fakeRecords(copy: () => Promise<void> = async () => {}) {
  const state = { changes: 0, copies: 0 };
  const db = {
    changes: () => state.changes,
    async copyTo(path: string) {
      assert.equal(path, copyPathOf('/r/gantry.db'));
      state.copies++;
      await copy();
    },
  } as unknown as Database;
  return { db, state };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a minute after the start, and every ten minutes, changed records are copied; unchanged ones are not', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { db, state } = fakeRecords();
    await using _ = keepCopy(db, '/r/gantry.db', assert.fail);
    state.changes = 1;
    mock.timers.tick(59_000);
    assert.equal(state.copies, 0, 'a start costs nothing');
    for (const [afterMs, changes, copies] of [
      [1_000, 1, 1],
      [600_000, 1, 1],
      [600_000, 2, 2],
    ] as const) {
      state.changes = changes;
      mock.timers.tick(afterMs);
      await settle();
      assert.equal(state.copies, copies);
    }
  } finally {
    mock.timers.reset();
  }
});

test('the end of the engine makes a last copy, so that a rescue loses nothing of a clean day', async () => {
  const { db, state } = fakeRecords();
  const copy = keepCopy(db, '/r/gantry.db', assert.fail);
  state.changes = 7;
  await copy[Symbol.asyncDispose]();
  assert.equal(state.copies, 1);
});

test('a copy that fails is told, does not stop the engine, and is tried again', async () => {
  let fails = true;
  const said: string[] = [];
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { db, state } = fakeRecords(async () => {
      if (fails) throw new Error('disk full');
    });
    state.changes = 1;
    const copy = keepCopy(db, '/r/gantry.db', (message) => void said.push(message));
    mock.timers.tick(60_000);
    await settle();
    fails = false;
    await copy[Symbol.asyncDispose]();
    assert.equal(state.copies, 2);
    assert.match(said.join(), /^the records could not be copied: .*disk full$/);
  } finally {
    mock.timers.reset();
  }
});
