import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errno, SystemError } from '../../host/libc.ts';
import { networkBench, tcpPort } from './testing/network-bench.ts';

const PORTS = { ports: [tcpPort(80, 8080)] };
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

for (const [verb, error, code] of [
  ['plug', new SystemError(errno.EPERM, 'netlink'), 'NETWORK_FAILED'],
  ['publish', new SystemError(errno.ENOMEM, 'netlink'), 'ENOMEM'],
] as const) {
  test(`a start that fails at ${verb} leaves no address, port, link or rule behind`, async () => {
    const { host, connect } = networkBench();
    await connect('first');
    host.failNext(verb, error);
    await assert.rejects(connect('web', PORTS), { code });
    assert.deepEqual([host.held.size, host.table?.ports.size], [0, 0]);
    assert.equal(host.portsOf('gantry0').length, 1, 'the link of the other container');
    assert.equal((await connect('web', PORTS)).ipAddress, '10.0.0.3', 'its address is free at once');
  });
}

test('a port that is taken costs no address and makes no link', async () => {
  const { host, connect } = networkBench();
  host.busy.add('0.0.0.0:8080/tcp');
  await assert.rejects(connect('web', PORTS), { code: 'PORT_TAKEN' });
  assert.ok(!host.calls.some((call) => call.startsWith('plug')));
  assert.equal((await connect('other')).ipAddress, '10.0.0.2');
});

test('a MAC address that is none costs no address', async () => {
  const { connect } = networkBench();
  await assert.rejects(connect('web', { macAddress: 'x' }), { code: 'INVALID_MAC' });
  assert.equal((await connect('other')).ipAddress, '10.0.0.2');
});

test('a full network says which one it is; a container that leaves makes room', async () => {
  const { networks, connect } = networkBench();
  for (const id of 'abcde') await connect(id);
  const { id } = networks.get('bridge');
  await assert.rejects(connect('f'), {
    kind: 'exhausted',
    code: 'NO_FREE_ADDRESS',
    message: `no available IPv4 addresses on this network's address pools: bridge (${id})`,
  });
  await networks.disconnect('c');
  assert.equal((await connect('f')).ipAddress, '10.0.0.4');
});

test('a container that restarts keeps its address, also when others came meanwhile', async () => {
  const { networks, connect } = networkBench();
  await connect('a');
  await networks.disconnect('a');
  assert.equal((await connect('b')).ipAddress, '10.0.0.3', 'the kernel still knows connections of the other');
  assert.equal((await connect('a')).ipAddress, '10.0.0.2');
});

test('a port that a container left leads nowhere and is free before the link is gone', async () => {
  const { host, networks, connect } = networkBench();
  await connect('a', PORTS);
  await networks.disconnect('a');
  assert.deepEqual([host.held.size, host.table?.ports.size, host.portsOf('gantry0').length], [0, 0, 1]);
  assert.deepEqual([...host.muted], host.portsOf('gantry0'), 'what still runs in the namespace is cut off');
  await connect('b', PORTS);
});

test('leaving does not fail for the user: what the kernel refuses is logged', async () => {
  const { host, networks, connect, logs, events } = networkBench();
  await connect('a', PORTS);
  host.failNext('unpublish', new Error('netlink is busy'));
  host.failNext('mute', new Error('no such link'));
  await networks.disconnect('a');
  await settle();
  assert.deepEqual(logs.toSorted(), [
    '10.0.0.2 leaves the network: netlink is busy',
    '10.0.0.2 leaves the network: no such link',
  ]);
  assert.equal(events.length, 2);
});

test('a table that another program deleted is made again with the ports of all containers', async () => {
  const { host, connect } = networkBench();
  await connect('a', PORTS);
  host.dropTable();
  await connect('b', { ports: [tcpPort(80, 8081)] });
  assert.deepEqual(
    [...(host.table?.ports ?? [])],
    [
      ['0.0.0.0:8080/tcp', '10.0.0.2:80'],
      ['0.0.0.0:8081/tcp', '10.0.0.3:80'],
    ],
  );
});

test('a container that leaves while the table is written anew is not published by it', async () => {
  const { host, networks, connect } = networkBench();
  await connect('a', PORTS);
  host.dropTable();
  const gate = Promise.withResolvers<void>();
  host.holdNext('replace', gate.promise);
  const joining = connect('b', { ports: [tcpPort(80, 8081)] });
  while (!host.table) await settle();
  await networks.disconnect('a');
  host.table.ports.set('0.0.0.0:8080/tcp', 'written by the ruleset');
  gate.resolve();
  await joining;
  assert.deepEqual([...host.table.ports.keys()], ['0.0.0.0:8081/tcp']);
});

test('a bridge that another program deleted is made again with its MAC address, and all containers are put back on it', async () => {
  const { host, connect, logs } = networkBench();
  await connect('a');
  const before = host.present.get('gantry0');
  const [link] = host.portsOf('gantry0');
  host.dropLink('gantry0');
  const endpoint = await connect('b');
  assert.equal(endpoint.ipAddress, '10.0.0.3');
  assert.equal(host.present.get('gantry0')?.mac, before?.mac, 'containers know the one it had');
  assert.ok(link && host.portsOf('gantry0').includes(link));
  assert.equal(host.portsOf('gantry0').length, 2);
  assert.match(logs.join(), /^the bridge gantry0 was deleted by another program: made again$/);
});

test('when the bridge stands, a kernel that refuses is not asked twice', async () => {
  const { host, connect } = networkBench();
  await connect('a');
  host.failNext('plug', new SystemError(errno.ENOMEM, 'netlink'));
  await assert.rejects(connect('b'), { code: 'NETWORK_FAILED' });
  assert.equal(host.calls.filter((call) => call.startsWith('plug')).length, 2);
});

test('containers that start at once are plugged in one by one; one that fails does not stop the next', async () => {
  const { host, connect } = networkBench();
  await connect('first');
  const gate = Promise.withResolvers<void>();
  host.holdNext('plug', gate.promise);
  const plugs = () => host.calls.filter((call) => call.startsWith('plug')).length;
  const all = Promise.allSettled([connect('a'), connect('b', { pid: 99 }), connect('c')]);
  await settle();
  assert.equal(plugs(), 2);
  gate.resolve();
  assert.deepEqual(
    (await all).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a UDP client that sent before its port was published is heard, and no other connection is cut', async () => {
  const { host, connect } = networkBench();
  await connect('first');
  const flow = { source: '192.0.2.7', destination: '10.0.0.1', port: 53, protocol: 17, answerer: '10.0.0.1' };
  const others = [
    { ...flow, protocol: 6 },
    { ...flow, port: 54 },
    { ...flow, answerer: '10.0.0.9' },
    { ...flow, destination: '192.0.2.1', answerer: '192.0.2.1' },
  ];
  host.flows = [flow, ...others];
  await connect('dns', { ports: [{ ...tcpPort(53, 53), protocol: 'udp' }] });
  await settle();
  assert.deepEqual(host.flows, others);
});

test('--icc=false keeps containers apart, and --mtu and --ip-forward=false are heeded', async () => {
  const { host, connect } = networkBench({ icc: false, mtu: 1400, ipForward: false });
  await connect('a');
  assert.deepEqual([...host.isolated], host.portsOf('gantry0'));
  assert.ok(host.calls.includes('plug 10.0.0.2 mtu 1400'));
  assert.equal(host.sysctls.size, 0);
  const [rules] = host.table?.networks ?? [];
  assert.deepEqual([rules?.icc, rules?.subnet, rules?.gateway], [false, '10.0.0.0/29', '10.0.0.1']);
});

test('after a restart live containers keep address, ports and link; links of dead ones go', async () => {
  const first = networkBench();
  const endpoint = await first.connect('alive', PORTS);
  await first.connect('dead');
  await first.networks.close();
  const { host, networks, connect } = networkBench({}, first);
  await networks.recover([{ containerId: 'alive', endpoint }]);
  assert.deepEqual(host.portsOf('gantry0'), [`veth${endpoint.endpointId.slice(0, 8)}`]);
  assert.deepEqual([...(host.table?.ports ?? [])], [['0.0.0.0:8080/tcp', '10.0.0.2:80']]);
  assert.ok(host.held.has('0.0.0.0:8080/tcp'));
  assert.equal((await connect('new')).ipAddress, '10.0.0.3');
  await assert.rejects(connect('rival', PORTS), { code: 'PORT_TAKEN' });
  await networks.disconnect('alive');
  await connect('rival', PORTS);
});

test('after a restart a live container whose link fell off the bridge is put back on it', async () => {
  const first = networkBench({ icc: false });
  const endpoint = await first.connect('alive');
  const [name = ''] = first.host.portsOf('gantry0');
  first.host.addLink({ name, kind: 'veth', master: 0 });
  first.host.isolated.clear();
  const { host, networks } = networkBench({ icc: false }, first);
  await networks.recover([{ containerId: 'alive', endpoint }]);
  assert.deepEqual(host.portsOf('gantry0'), [name]);
  assert.ok(host.isolated.has(name), 'and as isolated as before');
});

test('the address of a container that ends while the daemon starts is free for others', async () => {
  const first = networkBench();
  const endpoint = await first.connect('dying');
  await first.networks.close();
  const { host, networks, connect } = networkBench({}, first);
  const gate = Promise.withResolvers<void>();
  host.holdNext('replace', gate.promise);
  const replaced = host.calls.length;
  const recovering = networks.recover([{ containerId: 'dying', endpoint }]);
  while (!host.calls.slice(replaced).some((call) => call.startsWith('replace'))) await settle();
  await networks.disconnect('dying');
  gate.resolve();
  await recovering;
  const addresses: string[] = [];
  for (const id of 'abcde') addresses.push((await connect(id)).ipAddress);
  assert.ok(addresses.includes('10.0.0.2'));
});
