// Owns carrying bytes from a host's socket to a container's port in this process, for traffic that no rule translates.

import dgram from 'node:dgram';
import net from 'node:net';

const CONNECTIONS = 8192;
const UDP_CLIENTS = 4096;
/** As long as the kernel remembers a UDP exchange, so that both ways behave alike. */
const UDP_IDLE_MS = 120_000;

/** Where to: an IPv4 address. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** Serves a listening stream socket, which it owns from now on. Half-closed connections stay half-closed. */
export function forwardTcp(fd: number, { address, port }: Target): Disposable {
  const open = new Set<net.Socket>();
  const track = (socket: net.Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const inner = net.connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      track(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  server.maxConnections = CONNECTIONS;
  server.on('error', () => {}); // an accept that failed (no descriptors left) is the client's loss alone
  server.listen({ fd }).unref();
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Serves a bound IPv6 datagram socket, which it owns from now on. Each client has a socket of its own towards the container. */
export function forwardUdp(fd: number, { address, port }: Target): Disposable {
  const server = dgram.createSocket('udp6');
  const clients = new Map<string, UdpClient>();
  const forget = (key: string): void => {
    clients.get(key)?.socket.close();
    clients.delete(key);
  };
  const admit = (key: string, from: dgram.RemoteInfo): UdpClient => {
    const [oldest] = clients.keys();
    if (clients.size >= UDP_CLIENTS && oldest !== undefined) forget(oldest);
    const socket = dgram.createSocket('udp4');
    const client = { socket, lastMs: Date.now() };
    socket.on('error', () => {}); // nobody listens in the container: as silent as the kernel's own way
    socket.on('message', (bytes) => server.send(bytes, from.port, from.address, () => {}));
    clients.set(key, client);
    return client;
  };
  server.on('error', () => {});
  server.on('message', (bytes, from) => {
    const key = `${from.address} ${from.port}`;
    const client = clients.get(key) ?? admit(key, from);
    client.lastMs = Date.now();
    client.socket.send(bytes, port, address, () => {});
  });
  const sweep = setInterval(() => {
    for (const [key, { lastMs }] of clients) if (Date.now() - lastMs > UDP_IDLE_MS) forget(key);
  }, UDP_IDLE_MS / 4).unref();
  server.bind({ fd }).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(sweep);
      for (const key of [...clients.keys()]) forget(key);
      server.close();
    },
  };
}

interface UdpClient {
  readonly socket: dgram.Socket;
  lastMs: number;
}
