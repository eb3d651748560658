import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { call, makeNamespace, makeOtherHost, makeWorld, run, serveTcp, serveUdp } from './support/world.ts';

const gatewayOf = (bip: string | undefined): string => bip?.split('/')[0] ?? '';

test('a published TCP port answers on loopback, on own addresses, from other hosts, from containers, and over IPv6', async () => {
  await using world = makeWorld();
  await using web = await makeNamespace();
  await using peer = await makeNamespace();
  await using other = await makeOtherHost();
  const { networks } = world;
  await networks.recover([]);
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '' }] as const;
  const endpoint = await networks.connect({ containerId: 'web', network: 'bridge', pid: web.pid, ports });
  await networks.connect({ containerId: 'peer', network: 'bridge', pid: peer.pid, ports: [] });
  using _ = serveTcp(web.pid, 80, 'web');
  const port = endpoint.ports[0]?.hostPort ?? 0;
  assert.deepEqual(
    endpoint.ports.map(({ hostIp }) => hostIp),
    ['0.0.0.0', '::'],
  );
  assert.equal(new Set(endpoint.ports.map(({ hostPort }) => hostPort)).size, 1);
  const gateway = gatewayOf(world.options.bip);
  const own = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal);

  assert.equal(await call('tcp', '127.0.0.1', port), `web ${gateway} 2`, 'from the host by 127.0.0.1');
  assert.equal(await call('tcp', '127.0.0.5', port), `web ${gateway} 2`, 'from the host by any loopback address');
  assert.equal(
    await call('tcp', own?.address ?? '', port),
    `web ${own?.address} 2`,
    'from the host by its own address',
  );
  assert.equal(await call('tcp', endpoint.ipAddress, 80), `web ${gateway} 2`, 'from the host by the container address');
  assert.equal(await call('tcp', '::1', port), `web ${gateway} 2`, 'from the host by ::1');
  assert.equal(
    await call('tcp', other.gateway, port, { from: other.pid }),
    `web ${other.address} 2`,
    'another host: true address',
  );
  assert.equal(
    await call('tcp', other.gateway6, port, { from: other.pid }),
    `web ${gateway} 2`,
    'another host over IPv6',
  );
  assert.equal(await call('tcp', gateway, port, { from: peer.pid }), `web ${gateway} 2`, 'a container by the gateway');
  assert.equal(
    await call('tcp', other.gateway, port, { from: peer.pid }),
    `web ${gateway} 2`,
    'a container by a host address',
  );
  assert.equal(await call('tcp', gateway, port, { from: web.pid }), `web ${gateway} 2`, 'itself by the gateway');
  assert.equal(
    await call('tcp', other.gateway, port, { from: web.pid }),
    `web ${gateway} 2`,
    'itself by a host address',
  );
  assert.match(await call('tcp', endpoint.ipAddress, 80, { from: peer.pid }), /^web 10\./, 'a container directly');
  run('ip', ['route', 'add', `${endpoint.ipAddress}/32`, 'via', other.gateway], other.pid);
  assert.equal(
    await call('tcp', endpoint.ipAddress, 80, { from: other.pid }),
    'timeout',
    'no direct routing from elsewhere',
  );
});

test('UDP is published the same way', async () => {
  await using world = makeWorld();
  await using dns = await makeNamespace();
  await using other = await makeOtherHost();
  await world.networks.recover([]);
  const ports = [{ containerPort: 53, protocol: 'udp', hostIp: '' }] as const;
  const { networks } = world;
  const endpoint = await networks.connect({ containerId: 'dns', network: 'bridge', pid: dns.pid, ports });
  using _ = serveUdp(dns.pid, 53, 'dns');
  const port = endpoint.ports[0]?.hostPort ?? 0;
  const gateway = gatewayOf(world.options.bip);
  assert.equal(await call('udp', '127.0.0.1', port), `dns ${gateway}`);
  assert.equal(await call('udp', '::1', port), `dns ${gateway}`);
  assert.equal(await call('udp', other.gateway, port, { from: other.pid }), `dns ${other.address}`);
  assert.equal(await call('udp', other.gateway6, port, { from: other.pid }), `dns ${gateway}`);
  assert.equal(await call('udp', gateway, port, { from: dns.pid }), `dns ${gateway}`);
});

test('a container reaches other hosts with the host as its face', async () => {
  await using world = makeWorld();
  await using box = await makeNamespace();
  await using other = await makeOtherHost();
  await world.networks.recover([]);
  const { networks } = world;
  await networks.connect({ containerId: 'box', network: 'bridge', pid: box.pid, ports: [] });
  using _ = serveTcp(other.pid, 7000, 'other');
  assert.equal(await call('tcp', other.address, 7000, { from: box.pid }), `other ${other.gateway} 2`);
});

test('a port published on 127.0.0.1 stays there, and containers cannot reach the host’s loopback', async () => {
  await using world = makeWorld();
  await using web = await makeNamespace();
  await using other = await makeOtherHost();
  await world.networks.recover([]);
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1' }] as const;
  const { networks } = world;
  const endpoint = await networks.connect({ containerId: 'web', network: 'bridge', pid: web.pid, ports });
  using _ = serveTcp(web.pid, 80, 'web');
  const port = endpoint.ports[0]?.hostPort ?? 0;
  const gateway = gatewayOf(world.options.bip);
  assert.equal(await call('tcp', '127.0.0.1', port), `web ${gateway} 2`);
  assert.equal(await call('tcp', other.gateway, port, { from: other.pid }), 'ECONNREFUSED');
  for (const [pid, via] of [
    [other.pid, other.gateway],
    [web.pid, gateway],
  ] as const) {
    // A neighbour who sends packets for 127.0.0.1 over the wire.
    run('ip', ['addr', 'del', '127.0.0.1/8', 'dev', 'lo'], pid);
    run('sysctl', ['-qw', 'net.ipv4.conf.all.route_localnet=1'], pid);
    run('ip', ['route', 'add', '127.0.0.0/8', 'via', via], pid);
    assert.equal(await call('tcp', '127.0.0.1', port, { from: pid }), 'timeout');
  }
});
