import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from './testing/bench.ts';

const forever = new AbortController().signal;
const quiet = (): void => undefined;

test('a wait says that it is in place before the end can come: no end is missed', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const order: string[] = [];
  const over = bench.face.wait(id, 'next-exit', () => order.push('ready'), forever).then(() => order.push('over'));
  assert.deepEqual(order, ['ready'], 'in the same turn, so that headers go out at once');
  await bench.exit(id, 0);
  await over;
  assert.deepEqual(order, ['ready', 'over']);
});

test('“not-running” answers at once for one that does not run, “next-exit” waits for its next end', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  assert.deepEqual(await bench.face.wait('web', 'not-running', quiet, forever), { exitCode: 0 });
  const next = bench.face.wait('web', 'next-exit', quiet, forever);
  await bench.face.start(id);
  await bench.exit(id, 9);
  assert.deepEqual(await next, { exitCode: 9 });
  assert.deepEqual(await bench.face.wait('web', 'not-running', quiet, forever), { exitCode: 9 });
});

test('a container between two runs of its policy is not taken for one that has ended', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'always' } } });
  await bench.exit(id, 1);
  let over = false;
  const end = bench.face.wait(id, 'not-running', quiet, forever).then(() => {
    over = true;
  });
  await bench.untilPhase(id, 'running');
  assert.equal(over, false);
  await bench.face.stop(id, {});
  await end;
});

test('a removal answers every kind of wait', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const waits = (['next-exit', 'removed'] as const).map((condition) => bench.face.wait(id, condition, quiet, forever));
  await bench.face.remove(id, { force: false, volumes: false, link: false });
  assert.deepEqual(await Promise.all(waits), [{ exitCode: 0 }, { exitCode: 0 }]);
});

test('a client that leaves is not answered, and its place is given up', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const client = new AbortController();
  const waiting = bench.face.wait(id, 'removed', quiet, client.signal);
  client.abort(new Error('the client left'));
  await assert.rejects(waiting, /the client left/);
  await assert.rejects(bench.face.wait(id, 'removed', quiet, client.signal), /the client left/);
  // Nobody waits for the removal any more: it may take its time.
  await bench.exit(id, 0);
  assert.equal(bench.stateOf(id).phase, 'exited');
});

test('a wait for what was never there is refused', async (t) => {
  const bench = openBench(t);
  let ready = false;
  const refused = bench.face.wait('nope', 'removed', () => (ready = true), forever);
  await assert.rejects(refused, { kind: 'notFound', message: 'No such container: nope' });
  assert.equal(ready, false);
});
