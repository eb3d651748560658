import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkBench, tcpPort } from './testing/network-bench.ts';

test('nothing of the host is touched before the first container needs it', async () => {
  const { host, networks, connect } = networkBench();
  assert.equal(networks.list().length, 3);
  assert.deepEqual(host.calls, []);
  await connect('web');
  assert.notDeepEqual(host.calls, []);
});

test('the bridge is up and guarded before a container is plugged in, and its subnet is chosen by one daemon at a time', async () => {
  const { host, connect } = networkBench();
  await connect('web', { ports: [tcpPort(80, 8080)] });
  assert.deepEqual(host.calls.slice(0, 7), [
    'lock',
    'ensureBridge gantry0 10.0.0.1/29',
    'unlock',
    'sysctl ipv4/ip_forward',
    'replace',
    'plug 10.0.0.2 hairpin mtu 1500',
    'publish 0.0.0.0:8080/tcp',
  ]);
});

test('inspect shows what a container got: address, gateway, MAC and ports', async () => {
  const { networks, connect } = networkBench();
  const endpoint = await connect('web', { ports: [tcpPort(80, 8080)], macAddress: '02-42-AC-00-00-09' });
  const { id } = networks.get('bridge');
  assert.match(endpoint.endpointId, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    { ...endpoint, endpointId: '' },
    {
      endpointId: '',
      networkId: id,
      networkName: 'bridge',
      ipAddress: '10.0.0.2',
      prefixLength: 29,
      gateway: '10.0.0.1',
      macAddress: '02:42:ac:00:00:09',
      ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
    },
  );
  assert.deepEqual(networks.endpointsOf(id), [{ ...endpoint, containerId: 'web' }]);
  assert.deepEqual(networks.get('bridge').ipam, [{ subnet: '10.0.0.0/29', gateway: '10.0.0.1' }]);
});

test('connecting and leaving are announced with network, driver and container; leaving twice is announced once', async () => {
  const { networks, connect, events } = networkBench();
  await connect('web');
  await networks.disconnect('web');
  await networks.disconnect('web');
  await networks.disconnect('never-there');
  assert.deepEqual(events, ['network connect bridge bridge web', 'network disconnect bridge bridge web']);
});

test('a container that could not be connected is not announced and is on no network', async () => {
  const { networks, connect, events } = networkBench();
  await assert.rejects(connect('web', { pid: 99 }), {
    kind: 'conflict',
    code: 'NAMESPACE_GONE',
    message: /process 99/,
  });
  assert.deepEqual([events, networks.endpointsOf(networks.get('bridge').id)], [[], []]);
});

for (const [network, type] of [
  ['host', 'host'],
  ['none', 'null'],
] as const) {
  test(`on ${network} a container has a place in inspect and an event, and nothing is done to the host`, async () => {
    const { host, networks, connect, events } = networkBench();
    const endpoint = await connect('web', { network, ports: [tcpPort(80, 8080)] });
    assert.deepEqual([endpoint.ipAddress, endpoint.macAddress, endpoint.ports], ['', '', []]);
    await networks.disconnect('web');
    assert.deepEqual(host.calls, []);
    assert.deepEqual(events, [`network connect ${network} ${type} web`, `network disconnect ${network} ${type} web`]);
  });
}

test('a second connection of a container to one network is refused in dockerd’s words', async () => {
  const { connect } = networkBench();
  await connect('web');
  await assert.rejects(connect('web'), {
    kind: 'conflict',
    code: 'ALREADY_CONNECTED',
    message: 'endpoint of container web already exists in network bridge',
  });
  await connect('web', { network: 'none' });
});

test('a network that is not there is refused before the host is touched', async () => {
  const { host, connect } = networkBench();
  await assert.rejects(connect('web', { network: 'absent' }), { code: 'NETWORK_NOT_FOUND' });
  assert.deepEqual(host.calls, []);
});

test('the range that a daemon chose for itself is the one it has after a restart', async () => {
  const first = networkBench({ bip: undefined });
  first.host.ownRoutes.push({ linkIndex: 99, destination: '172.17.0.0', prefixLength: 16 });
  await first.connect('web');
  assert.equal(first.networks.get('bridge').ipam[0]?.subnet, '172.18.0.0/16');
  first.host.dropLink('gantry0');
  first.host.ownRoutes.length = 0;
  const second = networkBench({ bip: undefined }, first);
  assert.equal((await second.connect('web')).gateway, '172.18.0.1');
});

test('after a restart with the bridge switched off, a container that was on it leaves without a failure', async () => {
  const first = networkBench();
  const endpoint = await first.connect('web');
  const second = networkBench({ bridgeName: 'none' }, first);
  await second.networks.recover([{ containerId: 'web', endpoint }]);
  await second.networks.disconnect('web');
  assert.deepEqual(second.events, ['network disconnect bridge bridge web']);
});

test('a host whose network cannot be set up does not stop the daemon: it is logged, and tried again at the next start', async () => {
  const { host, networks, connect, logs } = networkBench();
  host.failNext('ensureBridge', new Error('module not found'));
  await networks.recover([]);
  assert.match(logs.join(), /^network bridge is not ready: cannot set up the bridge gantry0: module not found$/);
  host.failNext('ensureBridge', new Error('module not found'));
  await assert.rejects(connect('web'), {
    kind: 'system',
    code: 'NETWORK_FAILED',
    message: /gantry0: module not found/,
  });
  assert.equal(
    host.calls.filter((call) => call === 'lock').length,
    host.calls.filter((call) => call === 'unlock').length,
  );
  assert.equal((await connect('web')).ipAddress, '10.0.0.2');
});

test('info names the chains that drop traffic, and says so when it cannot look', () => {
  const { host, networks } = networkBench();
  host.dropping = ['WARNING: chain x'];
  assert.deepEqual(networks.warnings(), ['WARNING: chain x']);
  host.failNext('warnings', new Error('no netlink'));
  assert.deepEqual(networks.warnings(), ['WARNING: the firewall cannot be read: no netlink']);
});

test('the end of the daemon frees its sockets; links, rules and published ports of running containers stay', async () => {
  const { host, networks, connect } = networkBench();
  await connect('web', { ports: [tcpPort(80, 8080)] });
  await networks.close();
  assert.equal(host.held.size, 0);
  assert.equal(host.portsOf('gantry0').length, 1);
  assert.deepEqual([...(host.table?.ports ?? [])], [['0.0.0.0:8080/tcp', '10.0.0.2:80']]);
  assert.equal(host.calls.at(-1), 'closeFirewall');
});

test('teardown is refused while a container is attached', async () => {
  const { host, networks, connect } = networkBench();
  await connect('web');
  await assert.rejects(networks.teardown(), { kind: 'conflict', code: 'NETWORK_IN_USE', hint: 'stop them first' });
  assert.ok(host.present.has('gantry0'));
  await networks.disconnect('web');
  await networks.teardown();
  assert.deepEqual([[...host.present], host.table], [[], undefined]);
});

test('teardown leaves a bridge that the administrator made, but none of our links on it', async () => {
  const { host, networks } = networkBench();
  const { index } = host.addLink({ name: 'gantry0', kind: 'bridge', alias: 'mine' });
  host.addLink({ name: 'vethold', kind: 'veth', master: index });
  host.addLink({ name: 'eth1', kind: '', master: index });
  await networks.teardown();
  assert.deepEqual([...host.present.keys()], ['gantry0', 'eth1']);
});
