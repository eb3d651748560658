import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Publishing } from './publishing.ts';
import { FakeHost } from './testing/fake-host.ts';
import type { Endpoint, NetworksOptions, PortRequest } from './types.ts';

const PUBLISHER = { address: '172.17.0.2', endpointId: 'e'.repeat(64), containerName: 'web' };

function bench(options: Partial<NetworksOptions> = {}) {
  const host = new FakeHost();
  const publishing = new Publishing(host, { userlandProxy: true, ...options });
  const take = (...requests: PortRequest[]) => publishing.take(requests, PUBLISHER).map(({ published }) => published);
  return { host, publishing, take };
}

function port(containerPort: number, hostPort?: number, hostIp = '', last = hostPort): PortRequest {
  const hostPorts = hostPort === undefined || last === undefined ? undefined : { first: hostPort, last };
  return { containerPort, protocol: 'tcp', hostIp, hostPorts };
}

test('where a port is reached depends on its address, the daemon’s, the proxy and the host’s IPv6', () => {
  const cases: readonly (readonly [string, Partial<NetworksOptions>, boolean, string, readonly string[]])[] = [
    ['everywhere', {}, true, '', ['0.0.0.0', '::']],
    ['a host without IPv6', {}, false, '', ['0.0.0.0']],
    ['without the proxy nothing serves IPv6', { userlandProxy: false }, true, '', ['0.0.0.0']],
    ['the address that was asked for', {}, true, '127.0.0.1', ['127.0.0.1']],
    ['all of IPv4 only, when asked so', {}, true, '0.0.0.0', ['0.0.0.0']],
    ['an IPv6 address', {}, true, '::1', ['::1']],
    ['--ip of the daemon', { hostIp: '10.0.0.1' }, true, '', ['10.0.0.1']],
    ['--ip gives way to the request', { hostIp: '10.0.0.1' }, true, '10.0.0.2', ['10.0.0.2']],
    ['--ip 0.0.0.0 is everywhere', { hostIp: '0.0.0.0' }, true, '', ['0.0.0.0', '::']],
  ];
  for (const [what, options, ipv6, hostIp, wanted] of cases) {
    const { host, take } = bench(options);
    host.ipv6 = ipv6;
    assert.deepEqual(
      take(port(80, 8080, hostIp)).map((published) => published.hostIp),
      wanted,
      what,
    );
    assert.deepEqual(
      [...host.held.keys()],
      wanted.map((ip) => `${ip}:8080/tcp`),
      `${what}: held`,
    );
  }
});

test('an address that cannot be served is refused before any socket is opened', () => {
  const { host, take } = bench({ userlandProxy: false });
  const words = /on endpoint web \(e{64}\): /;
  assert.throws(() => take(port(80, 8080, '::1')), { code: 'PORT_NEEDS_PROXY', message: words });
  assert.throws(() => take(port(80, 8080, 'localhost')), { code: 'INVALID_HOST_IP', message: words });
  assert.equal(host.held.size, 0);
});

test('connections are carried to the container’s own port; without the proxy the port is only held', () => {
  const [withProxy, without] = [bench(), bench({ userlandProxy: false })];
  withProxy.take(port(80, 8080, '127.0.0.1'));
  assert.deepEqual(withProxy.host.held.get('127.0.0.1:8080/tcp')?.forwardTo, { address: '172.17.0.2', port: 80 });
  without.take(port(80, 8080, '127.0.0.1'));
  assert.equal(without.host.held.get('127.0.0.1:8080/tcp')?.forwardTo, undefined);
});

test('when one port of several is taken, none is kept', () => {
  const { host, take } = bench();
  host.busy.add('0.0.0.0:9000/tcp');
  assert.throws(() => take(port(80, 8080), port(81, 8081), port(90, 9000)), {
    kind: 'exhausted',
    code: 'PORT_TAKEN',
    hint: /ss -lntup/,
    message:
      /^driver failed programming external connectivity on endpoint web \(e{64}\): failed to bind host port for 0\.0\.0\.0:9000/,
  });
  assert.equal(host.held.size, 0);
  host.busy.clear();
  assert.equal(take(port(80, 8080), port(90, 9000)).length, 4, 'they can be taken afterwards');
});

test('without a container’s name the failure says itself alone', () => {
  const { host, publishing } = bench();
  host.busy.add('0.0.0.0:9000/tcp');
  const nameless = { ...PUBLISHER, containerName: undefined };
  assert.throws(() => publishing.take([port(90, 9000)], nameless), { message: /^failed to bind host port/ });
});

test('a bug in a door comes up as it is, and frees what was taken', () => {
  const { host } = bench();
  const doors = {
    ...{ hasIPv6: () => false, ephemeralPorts: host.ephemeralPorts },
    openHostPort(request: Parameters<FakeHost['openHostPort']>[0]) {
      if (request.hostPort === 8081) throw new TypeError('a bug');
      return host.openHostPort(request);
    },
  };
  const broken = new Publishing(doors, { userlandProxy: true });
  assert.throws(() => broken.take([port(80, 8080), port(81, 8081)], PUBLISHER), TypeError);
  assert.equal(host.held.size, 0);
});

test('a fixed port is not given away to one that could be any, and the answer has the order of the request', () => {
  const { take } = bench();
  const published = take(port(1, 8000, '127.0.0.1', 8001), port(2, 8000, '127.0.0.1'), port(3, undefined, '127.0.0.1'));
  assert.deepEqual(
    published.map(({ containerPort, hostPort }) => [containerPort, hostPort]),
    [
      [1, 8001],
      [2, 8000],
      [3, 32_768],
    ],
  );
});

test('given back, a port is free on the host and for the next container', () => {
  const { host, publishing, take } = bench();
  const allocated = publishing.take([port(80, 8080)], PUBLISHER);
  assert.throws(() => take(port(80, 8080)), { code: 'PORT_TAKEN', message: /port is already allocated$/ });
  publishing.giveBack(allocated);
  assert.equal(host.held.size, 0);
  assert.equal(take(port(80, 8080)).length, 2);
});

test('after a restart a live container’s port that another program took is told, and given to nobody else', () => {
  const { host, publishing, take } = bench();
  const ports = [8080, 8081].map((hostPort) => {
    return { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort } as const;
  });
  const endpoint = { ipAddress: '172.17.0.2', ports } as unknown as Endpoint;
  host.busy.add('0.0.0.0:8080/tcp');
  const said: string[] = [];
  const adopted = publishing.adopt(endpoint, (message) => void said.push(message));
  assert.deepEqual([...host.held.keys()], ['0.0.0.0:8081/tcp']);
  assert.match(said.join(), /^host port 0\.0\.0\.0:8080\/tcp cannot be held: .*address already in use$/);
  host.busy.clear();
  assert.throws(() => take(port(80, 8080)), { code: 'PORT_TAKEN', message: /already allocated/ });
  publishing.giveBack(adopted);
  assert.equal(take(port(80, 8080)).length, 2);
});
