import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ScriptedShim } from '../../runtime/link/testing/scripted-shim.ts';
import { type Bench, openBench } from './testing/bench.ts';
import type { AttachRequest } from './types.ts';

const ALL: AttachRequest = { stdin: true, stdout: true, stderr: true, logs: false, stream: true };
const here = (): AbortSignal => new AbortController().signal;

/** A shim that listens where the run of `id` will be, and writes `output` to whoever attaches. */
async function shimOf(t: TestContext, bench: Bench, id: string, output: string): Promise<ScriptedShim> {
  const shim = await ScriptedShim.listen(bench.launcher.runDir(id));
  t.after(() => shim[Symbol.asyncDispose]());
  shim.onAttach = (socket) => socket.end(output);
  return shim;
}

function writeLog(bench: Bench, id: string, lines: readonly string[]): void {
  const rows = lines.map((log) => JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: '2024-01-01T00:00:00Z' }));
  writeFileSync(join(bench.dir, 'containers', id, `${id}-json.log`), `${rows.join('\n')}\n`);
}

test('an attach to a running container joins its streams at once, and no others', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const shim = await shimOf(t, bench, id, 'hello');
  await bench.face.start(id);
  const { tty, stream } = await bench.face.attach(id, { ...ALL, stdin: false, stderr: false }, here());
  assert.equal(tty, false);
  assert.equal(await text(stream), 'hello');
  assert.deepEqual(
    shim.attached.map(({ streams }) => streams),
    ['stdout'],
  );
  assert.equal(bench.actionsOf(id).at(-1), 'attach');
});

test('an attach before the start gets the first byte: it is joined before the process runs', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const shim = await shimOf(t, bench, id, 'first words');
  let joinedAtStart = 0;
  bench.launcher.onPrepare = ({ connection }) => {
    const run = connection.onStart;
    connection.onStart = () => {
      joinedAtStart = shim.attached.length;
      run();
    };
  };
  const { stream } = await bench.face.attach(id, ALL, here());
  stream.write('typed ahead');
  stream.end();
  await bench.face.start(id);
  assert.equal(joinedAtStart, 1);
  assert.equal(await text(stream), 'first words');
  await bench.until('input', () => shim.attached[0]?.input === 'typed ahead');
});

test('who attached before a start that failed, or before a removal, sees the end', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  bench.launcher.failures.set('prepare', new Error('no such program'));
  const failed = await bench.face.attach(id, ALL, here());
  await assert.rejects(bench.face.start(id), /no such program/);
  assert.equal(await text(failed.stream), '');
  const removed = await bench.face.attach(id, ALL, here());
  await bench.face.remove(id, { force: false, volumes: false, link: false });
  assert.equal(await text(removed.stream), '');
});

test('an attacher that leaves before the start does not come back with it', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const shim = await shimOf(t, bench, id, '');
  const client = new AbortController();
  const { stream } = await bench.face.attach(id, ALL, client.signal);
  const closed = once(stream, 'close');
  client.abort();
  await closed;
  await bench.face.start(id);
  assert.equal(shim.attached.length, 0);
});

test('stored output comes first, then what is live', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { Tty: true });
  await shimOf(t, bench, id, 'live');
  writeLog(bench, id, ['one', 'two']);
  await bench.face.start(id);
  const { tty, stream } = await bench.face.attach(id, { ...ALL, stdin: false, logs: true }, here());
  assert.equal(tty, true);
  assert.equal(await text(stream), 'one\ntwo\nlive');
});

test('without streaming an attach is the stored output and its end', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { Tty: true });
  writeLog(bench, id, ['one']);
  const { stream } = await bench.face.attach(id, { ...ALL, logs: true, stream: false }, here());
  assert.equal(await text(stream), 'one\n');
});

test('the detach keys end the attachment, not the process, and only they are held back', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { Tty: true, OpenStdin: true });
  const shim = await shimOf(t, bench, id, '');
  shim.onAttach = () => undefined;
  await bench.face.start(id);
  const { stream } = await bench.face.attach(id, { ...ALL, detachKeys: Buffer.from('~q') }, here());
  stream.write('ab~c');
  await bench.until('input', () => shim.attached[0]?.input === 'ab~c');
  stream.write('~q');
  assert.equal(await text(stream), '');
  assert.equal(bench.actionsOf(id).at(-1), 'detach');
  assert.equal(shim.attached[0]?.input, 'ab~c');
  assert.equal(bench.stateOf(id).phase, 'running');
});

test('an attach right behind the end of a run sees the end, not a failure', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const { stream } = await bench.face.attach(id, ALL, here());
  assert.equal(await text(stream), '');
});

test('an attach to a paused or restarting container is refused with the name that was given', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await bench.face.pause(id);
  await assert.rejects(bench.face.attach('web', ALL, here()), {
    kind: 'conflict',
    message: 'container web is paused, unpause the container before attach',
  });
  bench.records.update(id, { state: { phase: 'restarting' } });
  await assert.rejects(bench.face.attach('web', ALL, here()), {
    message: 'container web is restarting, wait until the container is running',
  });
  bench.records.update(id, { state: { phase: 'running' } });
  assert.ok(!bench.actionsOf(id).includes('attach'));
});

test('an attacher belongs to one run: the next start does not join it again', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const shim = await shimOf(t, bench, id, 'once');
  shim.onAttach = () => undefined;
  const { stream } = await bench.face.attach(id, ALL, here());
  await bench.face.start(id);
  await bench.face.stop(id, {});
  await bench.face.start(id);
  assert.equal(shim.attached.length, 1);
  stream.destroy();
});

test('who follows the log sees its end with the run, and nothing of the next', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', { Tty: true });
  writeLog(bench, id, ['one']);
  await bench.face.start(id);
  const request = { stdout: true, stderr: true, follow: true, timestamps: false, details: false };
  const { chunks } = await bench.face.logs('web', request, here());
  const seen: string[] = [];
  const over = (async () => {
    for await (const chunk of chunks) seen.push(Buffer.from(chunk).toString());
  })();
  await bench.until('output', () => seen.length > 0);
  await bench.exit(id, 0);
  await over;
  assert.deepEqual(seen.join(''), 'one\n');
});
