// Owns what lists show and what prunes take away on a whole daemon, as dockerd 28.5 does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { type Answer, type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const query = (filters: object): string => `filters=${encodeURIComponent(JSON.stringify(filters))}`;
const post = (path: string, body?: unknown): Promise<Answer> => daemon.api('POST', path, body);

/** name → labels. */
const LABELLED = {
  none: {},
  ann: { a: '1' },
  bob: { b: '1' },
  both: { a: '1', b: '1' },
  empty: { a: '' },
} as const;

/** What a prune by `filters` takes away of five labelled objects. */
const PRUNED: readonly (readonly [object, readonly string[]])[] = [
  [{ label: ['a'] }, ['ann', 'both', 'empty']],
  [{ label: ['a', 'b'] }, ['both']],
  [{ label: ['a=1'] }, ['ann', 'both']],
  [{ label: ['a='] }, ['empty']],
  [{ 'label!': ['a'] }, ['bob', 'none']],
  [{ 'label!': ['a', 'b'] }, ['ann', 'bob', 'empty', 'none']],
  [{ 'label!': ['a=1'] }, ['bob', 'empty', 'none']],
  [{ label: ['a'], 'label!': ['b'] }, ['ann', 'empty']],
];

test('volume prune spares what label! names and takes what label names', async () => {
  for (const [filters, expected] of PRUNED) {
    for (const [Name, Labels] of Object.entries(LABELLED)) await post('/volumes/create', { Name, Labels });
    const pruned = await post(`/volumes/prune?${query({ ...filters, all: ['true'] })}`);
    assert.deepEqual(
      pruned.json<{ VolumesDeleted: string[] }>().VolumesDeleted.sort(),
      expected,
      JSON.stringify(filters),
    );
  }
  await post(`/volumes/prune?${query({ all: ['true'] })}`);
});

test('container prune spares what label! names and takes what label names', async () => {
  for (const [filters, expected] of PRUNED) {
    for (const [name, Labels] of Object.entries(LABELLED)) {
      await post(`/containers/create?name=${name}`, { Image: 'busybox', Labels });
    }
    await post(`/containers/prune?${query(filters)}`);
    const left = await daemon.api('GET', '/containers/json?all=1');
    const names = left.json<{ Names: string[] }[]>().map(({ Names }) => Names[0]?.slice(1));
    assert.deepEqual(
      Object.keys(LABELLED)
        .filter((name) => !names.includes(name))
        .sort(),
      expected,
      JSON.stringify(filters),
    );
  }
  await post('/containers/prune');
});

test('filters choose among running containers unless all are asked for; a status asks for all', async () => {
  const made = async (name: string, body: object): Promise<void> => {
    assert.equal((await post(`/containers/create?name=${name}`, { Image: 'busybox', ...body })).status, 201);
  };
  await made('first', { Cmd: ['false'], HostConfig: { Binds: ['shared:/v', '/tmp:/t'] } });
  await post('/containers/first/start');
  await post('/containers/first/wait');
  const port = { '80/tcp': [{ HostIp: '127.0.0.1' }] };
  await made('second', { Cmd: ['sleep', '1000'], HostConfig: { Binds: ['shared:/v'], PortBindings: port } });
  await post('/containers/second/start');
  await made('third', { Cmd: ['true'], ExposedPorts: { '80/tcp': {} } });
  const shown = async (filters: object, all = ''): Promise<string> => {
    const answer = await daemon.api('GET', `/containers/json?${all}${query(filters)}`);
    if (answer.status !== 200) return answer.json<{ message: string }>().message;
    return answer
      .json<{ Names: string[] }[]>()
      .map(({ Names }) => Names[0]?.slice(1))
      .join(' ');
  };
  const cases: readonly (readonly [object, string, string])[] = [
    [{ since: ['first'] }, 'second', 'third second'],
    [{ before: ['third'] }, 'second', 'second first'],
    [{ since: ['first'], before: ['third'] }, 'second', 'second'],
    [{ volume: ['shared'] }, 'second', 'second first'],
    [{ volume: ['/v'] }, 'second', 'second first'],
    [{ volume: ['/tmp'] }, '', 'first'],
    [{ exited: ['1'] }, '', 'first'],
    [{ status: ['exited', 'created'] }, 'third first', 'third first'],
    [{ expose: ['79-81/tcp'] }, 'second', 'second'],
    [{ publish: ['1-65535'] }, 'second', 'second'],
    [{ id: [''] }, '', ''],
  ];
  for (const [filters, running, everything] of cases) {
    assert.deepEqual(
      [await shown(filters), await shown(filters, 'all=1&')],
      [running, everything],
      JSON.stringify(filters),
    );
  }
  assert.equal(
    await shown({ expose: ['x'] }),
    'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax',
  );
  await Promise.all(['first', 'second', 'third'].map((name) => daemon.api('DELETE', `/containers/${name}?force=1`)));
  await daemon.api('DELETE', '/volumes/shared');
});

test('older clients get the fields of their version', async () => {
  const Annotations = { x: 'y' };
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { Annotations } };
  await post('/containers/create?name=old', body);
  await post('/containers/old/start');
  const get = async <T>(path: string): Promise<T> => (await daemon.api('GET', path)).json<T>();
  const hostConfig = async (version: string): Promise<object | undefined> =>
    (await get<{ HostConfig: object }[]>(`/${version}/containers/json`))[0]?.HostConfig;
  assert.deepEqual(await hostConfig('v1.46'), { NetworkMode: 'bridge', Annotations });
  assert.deepEqual(await hostConfig('v1.45'), { NetworkMode: 'bridge' });
  const { BridgeNfIptables } = await get<Record<string, unknown>>('/v1.49/info');
  assert.equal(BridgeNfIptables, false);
  assert.equal('BridgeNfIptables' in (await get<Record<string, unknown>>('/v1.50/info')), false);
  const members = async (version: string): Promise<number> =>
    (await get<{ Name: string; Containers: object }[]>(`/${version}/networks`))
      .filter(({ Name }) => Name === 'bridge')
      .flatMap(({ Containers }) => Object.keys(Containers)).length;
  assert.deepEqual([await members('v1.27'), await members('v1.28')], [1, 0]);
  await daemon.api('DELETE', '/containers/old?force=1');
});

test('docker system prune, network prune and builder prune work', async () => {
  for (const words of [['network'], ['builder'], ['system']]) {
    const said = await daemon.docker(...words, 'prune', '--force');
    assert.equal(said.code, 0, said.stderr);
  }
});
