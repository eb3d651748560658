// Owns throwaway namespaces, servers and clients for the network tests: "containers" and "another host" without any engine.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineEvent } from '../../../src/engine/events/types.ts';
import { createNetworks, DEFAULT_ADDRESS_POOLS } from '../../../src/engine/networks/index.ts';
import type { Networks, NetworksOptions } from '../../../src/engine/networks/types.ts';
import { libc, must } from '../../../src/host/libc.ts';
import { insideNetworkNamespace, openNetworkNamespace } from '../../../src/host/netns.ts';
import { type Database, openDatabase } from '../../../src/store/database.ts';

/** A network namespace with a process in it and `lo` up. */
export interface Namespace extends AsyncDisposable {
  readonly pid: number;
  kill(): Promise<void>;
}

export async function makeNamespace(): Promise<Namespace> {
  const child: ChildProcess = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const own = readlinkSync('/proc/self/ns/net');
  while (readlinkSync(`/proc/${pid}/ns/net`) === own) await sleep(2);
  run('ip', ['link', 'set', 'lo', 'up'], pid);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { pid, kill, [Symbol.asyncDispose]: kill };
}

/** Runs a program, inside the network namespace of `pid` when given. */
export function run(command: string, args: readonly string[], pid?: number): string {
  const line = pid === undefined ? [command, ...args] : ['nsenter', '-t', String(pid), '-n', command, ...args];
  return execFileSync(line[0] ?? '', line.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** An engine's networks with a bridge, a table and a database of their own. Disposing tears all of it down. */
export interface World extends AsyncDisposable {
  readonly networks: Networks;
  readonly events: Omit<EngineEvent, 'timeNano'>[];
  readonly logs: string[];
  readonly options: NetworksOptions;
  readonly database: Database;
  /** As after a SIGKILL of the daemon: sockets are gone, kernel state stays; a new capability on the same records. */
  restart(): Promise<World>;
}

/** A subnet that no other test uses at the same time, out of 10.128.0.0/9. */
export function randomSubnet(): string {
  return `10.${randomInt(128, 256)}.${randomInt(256)}`;
}

export function makeWorld(given: Partial<NetworksOptions> = {}, database = openDatabase(':memory:')): World {
  const tag = randomBytes(3).toString('hex');
  const options: NetworksOptions = {
    bridgeName: `gtyt${tag}`,
    bip: `${randomSubnet()}.1/24`,
    addressPools: DEFAULT_ADDRESS_POOLS,
    instance: `test_${tag}`,
    userlandProxy: true,
    ...given,
  };
  const events: Omit<EngineEvent, 'timeNano'>[] = [];
  const logs: string[] = [];
  const deps = { database, publish: (event: Omit<EngineEvent, 'timeNano'>) => void events.push(event), options };
  const networks = createNetworks({ ...deps, log: (message) => void logs.push(message) });
  let owned = true;
  return {
    networks,
    events,
    logs,
    options,
    database,
    async restart() {
      owned = false;
      await networks.close();
      return makeWorld(options, database);
    },
    async [Symbol.asyncDispose]() {
      if (!owned) return;
      const attached = networks.list().flatMap(({ id }) => networks.endpointsOf(id));
      for (const { containerId } of attached) await networks.disconnect(containerId);
      await networks.teardown();
      database[Symbol.dispose]();
    },
  };
}

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

function socketInside(pid: number, type: number, port: number): number {
  using namespace = openNetworkNamespace(pid);
  return insideNetworkNamespace(namespace.fd, () => {
    const fd = must(libc.socket(2, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'socket');
    const address = Buffer.alloc(16);
    address.writeUInt16LE(2, 0);
    address.writeUInt16BE(port, 2);
    must(libc.bind(fd, address, 16), 'bind');
    return fd;
  });
}

/** In the namespace of `pid`: answers each TCP connection with `<name> <client address>` and ends it when the client does. */
export function serveTcp(pid: number, port: number, name: string): Disposable {
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    const from = socket.remoteAddress;
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('end', () => socket.end(`${name} ${from} ${received}`));
  });
  server.listen({ fd: socketInside(pid, 1, port) });
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** In the namespace of `pid`: answers each datagram with `<name> <client address>`. */
export function serveUdp(pid: number, port: number, name: string): Disposable {
  const server = dgram.createSocket('udp4');
  server.on('message', (_, from) => server.send(`${name} ${from.address}`, from.port, from.address));
  server.bind({ fd: socketInside(pid, 2, port) });
  return { [Symbol.dispose]: () => void server.close() };
}

const CLIENT = `
const [kind, host, port, text] = process.argv.slice(1);
const late = setTimeout(() => { console.log('timeout'); process.exit(); }, 900);
if (kind === 'tcp') {
  const s = require('net').connect({ host, port: Number(port), allowHalfOpen: true }, () => s.end(text));
  let got = '';
  s.on('data', (d) => { got += d; }).on('end', () => { console.log(got); process.exit(); });
  s.on('error', (e) => { console.log(e.code); process.exit(); });
} else {
  const s = require('dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  s.on('message', (d) => { console.log(String(d)); process.exit(); }).on('error', (e) => { console.log(e.code); process.exit(); });
  s.send(text, Number(port), host);
}`;

/** What a client hears: the server's answer, an errno's name, or `timeout`. `from` = a namespace's pid; undefined = this host. */
export function call(
  kind: 'tcp' | 'udp',
  host: string,
  port: number,
  { from, text = 'hi' }: { from?: number; text?: string } = {},
): Promise<string> {
  const enter = from === undefined ? [] : ['nsenter', '-t', String(from), '-n'];
  const line = [...enter, process.execPath, '-e', CLIENT, '--', kind, host, String(port), text];
  return output(line[0] ?? '', line.slice(1));
}

const TALKER = `
const [host, port] = process.argv.slice(1);
const s = require('dgram').createSocket('udp4');
s.on('message', (d) => { console.log(String(d)); process.exit(); }).on('error', () => {});
s.bind(5353);
setInterval(() => s.send('x', Number(port), host), 50);
setTimeout(() => { console.log('timeout'); process.exit(); }, 5000);`;

/** From the namespace of `pid`: sends from one port every 50 ms until an answer comes; the answer, or `timeout`. */
export function keepSending(host: string, port: number, pid: number): Promise<string> {
  return output('nsenter', ['-t', String(pid), '-n', process.execPath, '-e', TALKER, '--', host, String(port)]);
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  return text.trim();
}

/** Another machine on a wire of its own: this host is `gateway`/`gateway6`, the other `address`/`address6`. */
export interface OtherHost extends AsyncDisposable {
  readonly pid: number;
  readonly linkName: string;
  readonly gateway: string;
  readonly gateway6: string;
  readonly address: string;
}

export async function makeOtherHost(): Promise<OtherHost> {
  const namespace = await makeNamespace();
  const linkName = `gtyo${randomBytes(3).toString('hex')}`;
  const [a, b] = [randomInt(256), randomInt(64) * 4];
  const [gateway, address] = [`198.18.${a}.${b + 1}`, `198.18.${a}.${b + 2}`];
  const net6 = `fd77:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}`;
  run('ip', ['link', 'add', linkName, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(namespace.pid)]);
  run('ip', ['addr', 'add', `${gateway}/30`, 'dev', linkName]);
  run('ip', ['addr', 'add', `${net6}::1/64`, 'dev', linkName, 'nodad']);
  run('ip', ['link', 'set', linkName, 'up']);
  const inside = (...args: string[]): string => run('ip', args, namespace.pid);
  inside('addr', 'add', `${address}/30`, 'dev', 'eth0');
  inside('addr', 'add', `${net6}::2/64`, 'dev', 'eth0', 'nodad');
  inside('link', 'set', 'eth0', 'up');
  inside('route', 'add', 'default', 'via', gateway);
  return {
    pid: namespace.pid,
    linkName,
    gateway,
    gateway6: `${net6}::1`,
    address,
    async [Symbol.asyncDispose]() {
      await namespace.kill();
      try {
        run('ip', ['link', 'del', linkName]);
      } catch {
        // gone with its namespace
      }
    },
  };
}
