import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Allocated, type Bind, inOrderOfNeed, PortTable } from './ports.ts';
import type { PortRequest, PublishedPort } from './types.ts';

const BOTH = ['0.0.0.0', '::'];

function table(first = 32768, last = 32771): PortTable {
  return new PortTable(() => ({ first, last }));
}

/** A host where other programs hold `busy`. */
function host(...busy: string[]): { bind: Bind; open: Set<string> } {
  const open = new Set<string>();
  return {
    open,
    bind({ protocol, hostIp, hostPort }) {
      const key = `${hostIp} ${hostPort}/${protocol}`;
      if (hostIp === '203.0.113.9') return { reason: 'cannot assign requested address', inUse: false };
      if (busy.includes(key)) return { reason: 'address already in use', inUse: true };
      open.add(key);
      return { socket: { [Symbol.dispose]: () => void open.delete(key) } };
    },
  };
}

function take(ports: PortTable, bind: Bind, addresses: string[], first?: number, last = first): PublishedPort[] {
  const hostPorts = first === undefined || last === undefined ? undefined : { first, last };
  const request: PortRequest = { containerPort: 80, protocol: 'tcp', hostIp: '', hostPorts };
  const into: Allocated[] = [];
  ports.allocate({ request, addresses, containerAddress: '172.17.0.2' }, bind, into);
  return into.map(({ published }) => published);
}

const numbers = (published: PublishedPort[]) => published.map(({ hostPort }) => hostPort);

test('a port without a number is the same on IPv4 and IPv6, and the next one is the next', () => {
  const [ports, { bind }] = [table(), host(':: 32769/tcp')];
  assert.deepEqual(numbers(take(ports, bind, BOTH)), [32768, 32768]);
  assert.deepEqual(numbers(take(ports, bind, BOTH)), [32770, 32770], 'taken on one of the two');
  assert.deepEqual(numbers(take(ports, bind, ['0.0.0.0'])), [32771]);
});

test('released ports come round again, not at once', () => {
  const [ports, { bind }] = [table(), host()];
  const [first] = take(ports, bind, ['0.0.0.0']);
  assert.ok(first);
  ports.release(first);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => numbers(take(ports, bind, ['0.0.0.0']))[0]),
    [32769, 32770, 32771, 32768],
  );
  assert.throws(() => take(ports, bind, ['0.0.0.0']), { code: 'PORTS_EXHAUSTED', message: 'all ports are allocated' });
});

test('the same number conflicts by address: any with all of its family, one with itself', () => {
  const [ports, { bind }] = [table(), host()];
  take(ports, bind, BOTH, 8080);
  take(ports, bind, ['127.0.0.1'], 8081);
  const taken = (address: string, port: number, other: string) =>
    assert.throws(() => take(ports, bind, [address], port), {
      code: 'PORT_TAKEN',
      message: `Bind for ${other}:${port} failed: port is already allocated`,
    });
  taken('127.0.0.1', 8080, '0.0.0.0');
  taken('::1', 8080, '::');
  taken('0.0.0.0', 8081, '127.0.0.1');
  assert.deepEqual(numbers(take(ports, bind, ['127.0.0.2'], 8081)), [8081]);
  assert.deepEqual(numbers(take(ports, bind, ['::'], 8081)), [8081]);
});

test('a range gives its first free port, past ours and other programs’', () => {
  const [ports, { bind, open }] = [table(), host(':: 8001/tcp')];
  take(ports, bind, BOTH, 8000);
  assert.deepEqual(numbers(take(ports, bind, BOTH, 8000, 8002)), [8002, 8002]);
  assert.ok(!open.has('0.0.0.0 8001/tcp'), 'half a port is let go');
  assert.throws(() => take(ports, bind, BOTH, 8000, 8002), { code: 'PORTS_EXHAUSTED' });
});

test('what the host says of a port is passed on in dockerd’s words', () => {
  const [ports, { bind }] = [table(), host('0.0.0.0 7777/tcp', ':: 7778/tcp')];
  assert.throws(() => take(ports, bind, BOTH, 7777), {
    message: 'failed to bind host port for 0.0.0.0:7777:172.17.0.2:80/tcp: address already in use',
  });
  assert.throws(() => take(ports, bind, ['::'], 7778), {
    message: 'failed to bind host port for [::]:7778:172.17.0.2:80/tcp: address already in use',
  });
  assert.throws(() => take(ports, bind, ['203.0.113.9'], 7000, 7009), {
    message: /7000.*: cannot assign requested address$/,
  });
});

test('ports that must be are taken before those that may be any', () => {
  const plan = (containerPort: number, first?: number, last = first): PortRequest => {
    const hostPorts = first === undefined || last === undefined ? undefined : { first, last };
    return { containerPort, protocol: 'tcp', hostIp: '', hostPorts };
  };
  const order = inOrderOfNeed([plan(1), plan(2, 8000, 8009), plan(3, 8000), plan(4)]);
  assert.deepEqual(
    order.map(({ containerPort }) => containerPort),
    [3, 2, 1, 4],
  );
});
