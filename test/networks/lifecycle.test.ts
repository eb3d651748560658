import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint, PortRequest } from '../../src/engine/networks/types.ts';
import { openDatabase } from '../../src/store/database.ts';
import { eventually } from '../support/patience.ts';
import {
  call,
  keepSending,
  makeNamespace,
  makeOtherHost,
  makeWorld,
  randomSubnet,
  run,
  serveTcp,
  serveUdp,
  type World,
} from './support/world.ts';

function tcp(containerPort: number, hostPort?: number, hostIp = ''): PortRequest {
  const hostPorts = hostPort === undefined ? undefined : { first: hostPort, last: hostPort };
  return { containerPort, protocol: 'tcp', hostIp, hostPorts };
}

function connect(
  world: World,
  containerId: string,
  pid: number,
  ports: readonly PortRequest[] = [],
): Promise<Endpoint> {
  return world.networks.connect({ containerId, containerName: containerId, network: 'bridge', pid, ports });
}

/** A TCP port that nothing uses now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The address of the world's subnet that ends in `last`. */
function addressOf(world: World, last: number): string {
  return `${world.options.bip?.split('.').slice(0, 3).join('.')}.${last}`;
}

function links(bridgeName: string): string[] {
  const text = run('ip', ['-o', 'link', 'show', 'master', bridgeName]);
  return text.split('\n').flatMap((line) => /^\d+: ([^@:]+)/.exec(line)?.[1] ?? []);
}

test('a port of ours is refused to a second container in dockerd’s words, and the failure leaves nothing behind', async () => {
  await using world = makeWorld();
  await using first = await makeNamespace();
  await using second = await makeNamespace();
  await world.networks.recover([]);
  const port = await freePort();
  await connect(world, 'first', first.pid, [tcp(80, port)]);
  const before = links(world.options.bridgeName);
  await assert.rejects(connect(world, 'second', second.pid, [tcp(80), tcp(81, port)]), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(
        `^driver failed programming external connectivity on endpoint second \\([0-9a-f]{64}\\): Bind for 0.0.0.0:${port} failed: port is already allocated$`,
      ),
    );
    return 'code' in error && error.code === 'PORT_TAKEN';
  });
  assert.deepEqual(links(world.options.bridgeName), before);
  assert.equal(
    (await connect(world, 'second', second.pid)).ipAddress,
    addressOf(world, 3),
    'its address was free again',
  );
});

test('a port of another program is refused with its reason; a range goes on to the next; ours keep others out', async () => {
  await using world = makeWorld();
  await using box = await makeNamespace();
  await world.networks.recover([]);
  const squatter = net.createServer().listen(0, '0.0.0.0');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  try {
    await assert.rejects(
      connect(world, 'box', box.pid, [tcp(80, port)]),
      new RegExp(
        `: failed to bind host port for 0.0.0.0:${port}:${addressOf(world, 2)}:80/tcp: address already in use$`,
      ),
    );
    await assert.rejects(
      connect(world, 'box', box.pid, [tcp(80, port, '203.0.113.9')]),
      new RegExp(
        `: failed to bind host port for 203.0.113.9:${port}:${addressOf(world, 2)}:80/tcp: cannot assign requested address$`,
      ),
    );
    const range = {
      containerPort: 80,
      protocol: 'tcp',
      hostIp: '',
      hostPorts: { first: port, last: port + 20 },
    } as const;
    const endpoint = await connect(world, 'box', box.pid, [range]);
    const taken = endpoint.ports[0]?.hostPort ?? 0;
    assert.ok(taken > port && taken <= port + 20);
    for (const host of ['0.0.0.0', '127.0.0.1', '::']) {
      const rival = net.createServer().listen({ port: taken, host, ipv6Only: true });
      const [error] = await once(rival, 'error');
      assert.equal(error.code, 'EADDRINUSE', host);
    }
  } finally {
    squatter.close();
  }
});

test('ten containers connect and leave at once: addresses and ports are distinct, and all is free afterwards', async () => {
  await using world = makeWorld();
  await world.networks.recover([]);
  const boxes = await Promise.all(Array.from({ length: 10 }, makeNamespace));
  try {
    const endpoints = await Promise.all(boxes.map(({ pid }, i) => connect(world, `box${i}`, pid, [tcp(80)])));
    assert.equal(new Set(endpoints.map(({ ipAddress }) => ipAddress)).size, 10);
    assert.equal(new Set(endpoints.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort))).size, 10);
    const answers = await Promise.all(
      boxes.map(async ({ pid }, i) => {
        using _ = serveTcp(pid, 80, `box${i}`);
        return await call('tcp', '127.0.0.1', endpoints[i]?.ports[0]?.hostPort ?? 0);
      }),
    );
    assert.deepEqual(
      answers.map((answer) => answer.split(' ')[0]),
      boxes.map((_, i) => `box${i}`),
    );
    await Promise.all(boxes.map((_, i) => world.networks.disconnect(`box${i}`)));
    assert.equal(world.events.filter(({ action }) => action === 'connect').length, 10);
    assert.equal(world.events.filter(({ action }) => action === 'disconnect').length, 10);
    await eventually(
      'the links of namespaces that live on are removed',
      () => links(world.options.bridgeName).length === 0,
    );
    assert.match(
      run('nft', ['list', 'map', 'inet', `gantry_${world.options.instance}`, 'published']),
      /inet_service\n\t}/,
    );
    assert.deepEqual(world.logs, []);
  } finally {
    await Promise.all(boxes.map((box) => box.kill()));
  }
});

test('a restarted container keeps its address; another container does not get it while the kernel remembers the first', async () => {
  await using world = makeWorld();
  await using first = await makeNamespace();
  await using second = await makeNamespace();
  await world.networks.recover([]);
  const { ipAddress } = await connect(world, 'first', first.pid);
  await world.networks.disconnect('first');
  await first.kill();
  const other = await connect(world, 'second', second.pid);
  assert.notEqual(other.ipAddress, ipAddress);
  await using again = await makeNamespace();
  assert.equal((await connect(world, 'first', again.pid)).ipAddress, ipAddress);
});

test('the address of a gone container is given again, and its neighbours find the new one at once', async () => {
  await using world = makeWorld({ bip: `${randomSubnet()}.1/29` });
  await using peer = await makeNamespace();
  await world.networks.recover([]);
  await connect(world, 'peer', peer.pid);
  for (let round = 0; round < 3; round++) {
    await using box = await makeNamespace();
    using server = serveTcp(box.pid, 80, `round${round}`);
    const { ipAddress } = await connect(world, `box${round}`, box.pid);
    assert.match(await call('tcp', ipAddress, 80, { from: peer.pid }), new RegExp(`^round${round} `));
    assert.match(await call('tcp', ipAddress, 80), new RegExp(`^round${round} `));
    server[Symbol.dispose]();
    await box.kill();
    await world.networks.disconnect(`box${round}`);
    assert.equal(ipAddress, addressOf(world, 3));
    await eventually('the end of its link', () => links(world.options.bridgeName).length === 1);
    // The address is free shortly afterwards.
    await sleep(700);
  }
});

test('a full network says so', async () => {
  await using world = makeWorld({ bip: `${randomSubnet()}.1/30` });
  await using first = await makeNamespace();
  await using second = await makeNamespace();
  await world.networks.recover([]);
  await connect(world, 'first', first.pid);
  const { id } = world.networks.get('bridge');
  await assert.rejects(connect(world, 'second', second.pid), {
    message: `no available IPv4 addresses on this network's address pools: bridge (${id})`,
  });
});

test('published ports work on while the daemon is dead; the next one adopts what lives and clears what does not', async () => {
  const database = openDatabase(':memory:');
  const dead = makeWorld({}, database);
  await using keep = await makeNamespace();
  await using gone = await makeNamespace();
  await dead.networks.recover([]);
  const kept = await connect(dead, 'keep', keep.pid, [tcp(80, await freePort())]);
  const lost = await connect(dead, 'gone', gone.pid, [tcp(80, await freePort())]);
  using _ = serveTcp(keep.pid, 80, 'keep');
  const port = kept.ports[0]?.hostPort ?? 0;
  const id = dead.networks.get('bridge').id;

  const again = await dead.restart();
  await using world = again;
  assert.match(await call('tcp', '127.0.0.1', port), /^keep /, 'without a daemon');
  assert.equal(await call('tcp', '::1', port), 'ECONNREFUSED', 'IPv6 pauses');
  await world.networks.recover([{ containerId: 'keep', endpoint: kept }]);
  assert.equal(world.networks.get('bridge').id, id);
  assert.match(await call('tcp', '127.0.0.1', port), /^keep /);
  assert.match(await call('tcp', '::1', port), /^keep /);
  assert.equal(await call('tcp', '127.0.0.1', lost.ports[0]?.hostPort ?? 0), 'ECONNREFUSED');
  assert.deepEqual(links(world.options.bridgeName), [`veth${kept.endpointId.slice(0, 8)}`]);
  await using fresh = await makeNamespace();
  const next = await connect(world, 'fresh', fresh.pid, [tcp(80)]);
  assert.notEqual(next.ipAddress, kept.ipAddress);
  assert.notEqual(next.ports[0]?.hostPort, port);
  await assert.rejects(connect(world, 'fresh2', fresh.pid, [tcp(80, port)]), /port is already allocated/);
});

test('a table or a bridge that another program deleted is made again at the next start of a container', async () => {
  await using world = makeWorld();
  await using first = await makeNamespace();
  await using second = await makeNamespace();
  await using third = await makeNamespace();
  await world.networks.recover([]);
  const { ports } = await connect(world, 'first', first.pid, [tcp(80)]);
  using _ = serveTcp(first.pid, 80, 'first');
  run('nft', ['delete', 'table', 'inet', `gantry_${world.options.instance}`]);
  assert.match(await call('tcp', '127.0.0.1', ports[0]?.hostPort ?? 0), /^first /, 'the forwarder serves meanwhile');
  await connect(world, 'second', second.pid, [tcp(80)]);
  run('ip', ['link', 'del', world.options.bridgeName]);
  await connect(world, 'third', third.pid);
  assert.match(await call('tcp', '127.0.0.1', ports[0]?.hostPort ?? 0), /^first /);
  assert.equal(links(world.options.bridgeName).length, 3);
});

test('a UDP client that kept sending while nothing was published is heard once the port is', async () => {
  await using world = makeWorld();
  await using box = await makeNamespace();
  await world.networks.recover([]);
  const port = await freePort();
  await using other = await makeOtherHost();
  const heard = keepSending(other.gateway, port, other.pid);
  await sleep(300);
  using _ = serveUdp(box.pid, 53, 'late');
  const hostPorts = { first: port, last: port };
  await connect(world, 'box', box.pid, [{ containerPort: 53, protocol: 'udp', hostIp: '', hostPorts }]);
  assert.equal(await heard, `late ${other.address}`);
});

test('on host and none nothing is plugged, yet the endpoint is known and announced', async () => {
  await using world = makeWorld();
  const { networks } = world;
  const endpoint = await networks.connect({ containerId: 'c', network: 'host', pid: 1, ports: [tcp(80)] });
  assert.match(endpoint.endpointId, /^[0-9a-f]{64}$/);
  assert.equal(endpoint.ipAddress, '');
  assert.equal(networks.endpointsOf(endpoint.networkId)[0]?.containerId, 'c');
  await networks.disconnect('c');
  assert.deepEqual(
    world.events.map(
      ({ action, attributes }) => `${action} ${attributes.name} ${attributes.type} ${attributes.container}`,
    ),
    ['connect host host c', 'disconnect host host c'],
  );
  await assert.rejects(networks.connect({ containerId: 'c', network: 'nowhere', pid: 1, ports: [] }), {
    message: 'network nowhere not found',
  });
});

test('two daemons without a configured address take different subnets', async () => {
  await using one = makeWorld({ bip: undefined });
  await using two = makeWorld({ bip: undefined });
  await Promise.all([one.networks.recover([]), two.networks.recover([])]);
  const subnets = [one, two].map(({ networks }) => networks.get('bridge').ipam[0]?.subnet);
  assert.equal(new Set(subnets).size, 2);
  assert.deepEqual([...one.logs, ...two.logs], []);
});

test('a chain of another program that drops forwarded traffic is named', async () => {
  await using world = makeWorld();
  const table = `gtyt_foreign_${world.options.instance}`;
  try {
    // In one transaction: a chain with `policy drop` and no rule would for a moment cut off this machine's forwarding.
    const chain = `ip ${table} sieve`;
    run('nft', [
      `add table ip ${table}; add chain ${chain} { type filter hook forward priority 300; policy drop; }; add rule ${chain} accept`,
    ]);
    assert.ok(world.networks.warnings().some((line) => line.includes(`chain sieve of nftables table ip ${table}`)));
  } finally {
    run('nft', ['delete', 'table', 'ip', table]);
  }
});

test('teardown by a capability that never ran finds and removes what a dead daemon left', async () => {
  const database = openDatabase(':memory:');
  const dead = makeWorld({}, database);
  await using box = await makeNamespace();
  await dead.networks.recover([]);
  await connect(dead, 'box', box.pid, [tcp(80)]);
  await assert.rejects(dead.networks.teardown(), { code: 'NETWORK_IN_USE' });
  const heir = await dead.restart();
  await heir.networks.teardown();
  assert.throws(() => links(heir.options.bridgeName));
  assert.throws(() => run('nft', ['list', 'table', 'inet', `gantry_${heir.options.instance}`]));
  assert.ok(!run('ip', ['-o', 'link']).includes(heir.options.bridgeName));
  await heir[Symbol.asyncDispose]();
});
