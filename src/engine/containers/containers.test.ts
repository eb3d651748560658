import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNano } from '../../lib/clock.ts';
import { openDatabase } from '../../store/database.ts';
import { checkLogConfig, logAttributes, parseJsonFileOptions } from './log-options.ts';
import { INITIAL_STATE } from './plan/create.ts';
import { parsePs } from './read.ts';
import { ContainerRecords } from './records.ts';
import { reconcile } from './recover.ts';
import type { ContainerRecord } from './types.ts';

const record = (id: string, name: string): ContainerRecord =>
  ({
    id: id.padEnd(64, '0'),
    name,
    created: name,
    state: INITIAL_STATE,
    endpoints: [],
    hostConfig: {},
    config: {},
  }) as unknown as ContainerRecord;

test('containers are found by id, name with or without slash, and unique prefix', () => {
  using db = openDatabase(':memory:');
  const records = new ContainerRecords(db);
  records.insert(record('abc1', 'web'));
  records.insert(record('abd2', 'abc1'));
  assert.equal(records.find('abc1').name, 'abc1', 'a name wins over an id prefix');
  assert.equal(records.find('/web').name, 'web');
  assert.equal(records.find('abd').name, 'abc1');
  assert.throws(() => records.find('ab'), { message: 'multiple IDs found with provided prefix: ab', kind: 'invalid' });
  assert.throws(() => records.find('nope'), { message: 'No such container: nope', kind: 'notFound' });
  assert.throws(() => records.insert(record('f', 'web')), { code: 'CONTAINER_NAME_TAKEN', kind: 'conflict' });
});

test('records, renames and states survive a restart of the daemon', () => {
  using db = openDatabase(':memory:');
  const first = new ContainerRecords(db);
  first.insert(record('aa', 'one'));
  first.insert(record('bb', 'two'));
  first.rename('aa'.padEnd(64, '0'), 'uno');
  first.update('aa'.padEnd(64, '0'), { state: { phase: 'running', pid: 7 } });
  first.remove('bb'.padEnd(64, '0'));
  const again = new ContainerRecords(db);
  assert.deepEqual(
    again.all().map(({ name, state }) => [name, state.phase, state.pid]),
    [['uno', 'running', 7]],
  );
});

test('recovery decides from record, shim and exit record', () => {
  const state = (phase: 'created' | 'running' | 'exited' | 'restarting') => ({ ...INITIAL_STATE, phase });
  const exit = { kind: 'exited', code: 3, atUnixNs: 1n, oomKilled: false } as const;
  assert.equal(reconcile(state('running'), { shim: 'started' }), 'adopt');
  assert.equal(reconcile(state('created'), { shim: 'started' }), 'adopt', 'started, not yet noted');
  assert.equal(reconcile(state('created'), { shim: 'ready' }), 'abandon');
  assert.equal(reconcile(state('running'), { exit }), 'settle');
  assert.equal(reconcile(state('running'), {}), 'settle', 'the machine was restarted');
  assert.equal(reconcile({ ...state('exited'), finishedAt: formatNano(exit.atUnixNs) }, { exit }), 'nothing');
  assert.equal(reconcile(state('created'), { exit }), 'settle', 'ended before its start was noted');
  assert.equal(reconcile(state('created'), {}), 'nothing');
});

test('log options: unknown names and bad values at create, rotation on by default', () => {
  assert.throws(() => checkLogConfig('foo', {}), {
    message: 'error looking up logging plugin foo: plugin "foo" not found',
  });
  assert.throws(() => checkLogConfig('json-file', { foo: 'bar' }), {
    message: "unknown log opt 'foo' for json-file log driver",
  });
  assert.deepEqual(parseJsonFileOptions({}), { maxSizeBytes: 20 * 2 ** 20, maxFiles: 5, compress: false });
  assert.deepEqual(parseJsonFileOptions({ 'max-size': '10k', 'max-file': '3', compress: 'true' }), {
    maxSizeBytes: 10_000,
    maxFiles: 3,
    compress: true,
  });
  for (const bad of [{ 'max-size': 'abc' }, { 'max-file': '0' }, { 'max-file': 'x' }, { compress: 'maybe' }]) {
    assert.throws(() => checkLogConfig('json-file', bad), { code: 'LOG_OPTION_VALUE' });
  }
});

test('log lines carry the chosen labels and variables', () => {
  const container = {
    id: 'c',
    name: 'web',
    imageId: 'sha256:00',
    imageName: 'x',
    command: ['sh'],
    config: { Labels: { tier: 'front', other: '1' }, Env: ['A=1', 'B=2'] },
  };
  assert.deepEqual(logAttributes({ labels: 'tier,none', 'env-regex': '^B' }, container), { tier: 'front', B: '2' });
  assert.deepEqual(logAttributes({ tag: '{{.Name}}/{{.ImageName}}' }, container), { tag: 'web/x' });
  assert.equal(logAttributes({}, container), undefined);
});

test('top keeps the rows of the container and the spaces of the command', () => {
  const ps = 'UID   PID  PPID CMD\nroot    1     0 /sbin/init\nroot   42     1 sh -c a  b\n';
  assert.deepEqual(parsePs(ps, new Set(['42'])), {
    titles: ['UID', 'PID', 'PPID', 'CMD'],
    processes: [['root', '42', '1', 'sh -c a b']],
  });
  assert.throws(() => parsePs('UID CMD\n', new Set()), { message: "Couldn't find PID field in ps output" });
});
