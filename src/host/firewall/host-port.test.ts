import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openHostPort } from './host-port.ts';

async function tcpServer(handle: (socket: net.Socket) => void): Promise<{ port: number } & Disposable> {
  const server = net.createServer({ allowHalfOpen: true }, handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

async function freePort(): Promise<number> {
  using server = await tcpServer(() => {});
  return server.port;
}

test('a client that ended its side still gets the whole answer through the forwarder', async () => {
  const answer = Buffer.alloc(3_000_000, 'x');
  using server = await tcpServer((socket) => socket.resume().on('end', () => socket.end(answer)));
  const hostPort = await freePort();
  const forwardTo = { address: '127.0.0.1', port: server.port };
  using _ = openHostPort({ protocol: 'tcp', hostIp: '::1', hostPort, forwardTo });
  const client = net.connect({ host: '::1', port: hostPort, allowHalfOpen: true });
  client.end('question');
  let bytes = 0;
  for await (const chunk of client) bytes += chunk.length;
  assert.equal(bytes, answer.length);
});

test('a container that does not listen ends the client’s connection instead of leaving it waiting', async () => {
  const [hostPort, closed] = [await freePort(), await freePort()];
  using _ = openHostPort({
    protocol: 'tcp',
    hostIp: '127.0.0.1',
    hostPort,
    forwardTo: { address: '127.0.0.1', port: closed },
  });
  const client = net.connect(hostPort, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'close');
});

test('datagrams find their way there and back, for each client its own', async () => {
  const server = dgram.createSocket('udp4');
  server.on('message', (bytes, from) => server.send(`re:${bytes}`, from.port, from.address)).bind(0, '127.0.0.1');
  await once(server, 'listening');
  const hostPort = await freePort();
  const forwardTo = { address: '127.0.0.1', port: server.address().port };
  using _ = openHostPort({ protocol: 'udp', hostIp: '::1', hostPort, forwardTo });
  const clients = [dgram.createSocket('udp6'), dgram.createSocket('udp6')];
  try {
    const heard = clients.map((client) => once(client, 'message'));
    for (const [index, client] of clients.entries()) client.send(`${index}`, hostPort, '::1');
    assert.deepEqual(
      (await Promise.all(heard)).map(([bytes]) => String(bytes)),
      ['re:0', 're:1'],
    );
  } finally {
    for (const socket of [server, ...clients]) socket.close();
  }
});

test('a held port is refused to others and free the moment it is let go', async () => {
  const hostPort = await freePort();
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const forwardTo of [undefined, { address: '127.0.0.1', port: 9 }]) {
      const request = { protocol, hostIp: '127.0.0.1', hostPort, forwardTo };
      const held = openHostPort(request);
      assert.throws(() => openHostPort(request), { code: 'EADDRINUSE' });
      held[Symbol.dispose]();
      openHostPort(request)[Symbol.dispose]();
    }
  }
  assert.throws(() => openHostPort({ protocol: 'tcp', hostIp: '203.0.113.9', hostPort }), { code: 'EADDRNOTAVAIL' });
});
