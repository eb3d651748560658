// Owns what a daemon's options for its default bridge do to traffic.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, makeNamespace, makeOtherHost, makeWorld, run, serveTcp } from './support/world.ts';

const gatewayOf = (bip: string | undefined): string => bip?.split('/')[0] ?? '';

test('icc=false: containers do not reach each other, by no way, but the host, the world and published ports', async () => {
  await using world = makeWorld({ icc: false });
  await using web = await makeNamespace();
  await using peer = await makeNamespace();
  await using other = await makeOtherHost();
  const { networks } = world;
  await networks.recover([]);
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '' }] as const;
  const endpoint = await networks.connect({ containerId: 'web', network: 'bridge', pid: web.pid, ports });
  await networks.connect({ containerId: 'peer', network: 'bridge', pid: peer.pid, ports: [] });
  using _ = serveTcp(web.pid, 80, 'web');
  using _other = serveTcp(other.pid, 80, 'other');
  const gateway = gatewayOf(world.options.bip);
  assert.equal(await call('tcp', endpoint.ipAddress, 80, { from: peer.pid }), 'timeout', 'on the bridge');
  run('ip', ['route', 'add', `${endpoint.ipAddress}/32`, 'via', gateway], peer.pid);
  assert.equal(await call('tcp', endpoint.ipAddress, 80, { from: peer.pid }), 'timeout', 'through the host');
  assert.match(await call('tcp', other.address, 80, { from: peer.pid }), /^other /, 'the world');
  assert.match(await call('tcp', endpoint.ipAddress, 80), /^web /, 'from the host');
  assert.match(await call('tcp', '127.0.0.1', endpoint.ports[0]?.hostPort ?? 0), /^web /, 'a published port');
  assert.equal(networks.get('bridge').options['com.docker.network.bridge.enable_icc'], 'false');
});

test('ip-masq=false: what leaves the host bears the container’s own address', async () => {
  await using world = makeWorld({ ipMasq: false });
  await using peer = await makeNamespace();
  await using other = await makeOtherHost();
  await world.networks.recover([]);
  const endpoint = await world.networks.connect({ containerId: 'peer', network: 'bridge', pid: peer.pid, ports: [] });
  using _ = serveTcp(other.pid, 80, 'other');
  run('ip', ['route', 'add', `${endpoint.ipAddress}/32`, 'via', other.gateway], other.pid);
  assert.match(await call('tcp', other.address, 80, { from: peer.pid }), new RegExp(`^other ${endpoint.ipAddress} `));
  using _peer = serveTcp(peer.pid, 81, 'peer');
  assert.equal(await call('tcp', endpoint.ipAddress, 81, { from: other.pid }), 'timeout', 'still no direct routing');
});

test('iptables=false: no rule is written, and published ports are served by the daemon', async () => {
  await using world = makeWorld({ iptables: false });
  await using web = await makeNamespace();
  await using other = await makeOtherHost();
  await world.networks.recover([]);
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '' }] as const;
  const endpoint = await world.networks.connect({ containerId: 'web', network: 'bridge', pid: web.pid, ports });
  using _ = serveTcp(web.pid, 80, 'web');
  const port = endpoint.ports[0]?.hostPort ?? 0;
  assert.doesNotMatch(run('nft', ['list', 'tables']), new RegExp(`gantry_${world.options.instance}`));
  assert.match(await call('tcp', '127.0.0.1', port), /^web /);
  assert.match(await call('tcp', other.gateway, port, { from: other.pid }), /^web /);
});

test('ip and mtu: ports without an address are published there, and links carry frames of that size', async () => {
  await using world = makeWorld({ hostIp: '127.0.0.1', mtu: 1400 });
  await using web = await makeNamespace();
  await world.networks.recover([]);
  const ports = [
    { containerPort: 80, protocol: 'tcp', hostIp: '' },
    { containerPort: 81, protocol: 'tcp', hostIp: '0.0.0.0' },
  ] as const;
  const endpoint = await world.networks.connect({ containerId: 'web', network: 'bridge', pid: web.pid, ports });
  assert.deepEqual(
    endpoint.ports.map(({ containerPort, hostIp }) => `${containerPort} ${hostIp}`),
    ['80 127.0.0.1', '81 0.0.0.0'],
  );
  assert.match(run('ip', ['link', 'show', 'eth0'], web.pid), /mtu 1400 /);
  assert.match(run('ip', ['link', 'show', world.options.bridgeName]), /mtu 1400 /);
  const { options } = world.networks.get('bridge');
  assert.equal(options['com.docker.network.driver.mtu'], '1400');
  assert.equal(options['com.docker.network.bridge.host_binding_ipv4'], '127.0.0.1');
});
