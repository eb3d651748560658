// Owns the host's socket behind a published port: it keeps the port from other programs, and carries what the rules do not:
// IPv6 clients, and anything that reaches the port while the rules are away. Knows no rule.

import { isIPv6 } from 'node:net';
import { errno as ERRNO, libc, must, type SystemError } from '../libc.ts';
import { ipv4Bytes } from '../netlink/route-messages.ts';
import { u16, u32 } from '../netlink/wire.ts';
import { forwardTcp, forwardUdp } from './forward.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_IPV6 = 41;
const IPPROTO_SCTP = 132;
const IPV6_V6ONLY = 26;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const BACKLOG = 4096;

/** A host port: a literal IPv4 or IPv6 address and a number. */
export interface HostPortRequest {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
  /** Where connections that reach the socket go; undefined = nowhere, the port is only held. */
  readonly forwardTo?: { readonly address: string; readonly port: number } | undefined;
}

/**
 * Binds a host port, at once. Disposing of it frees the port and ends forwarded connections.
 * @throws SystemError EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT (no IPv6 on this host), EACCES
 */
export function openHostPort(request: HostPortRequest): Disposable {
  const fd = boundSocket(request);
  if (fd === undefined) return { [Symbol.dispose]: () => {} };
  if (request.forwardTo && request.protocol === 'tcp') return forwardTcp(fd, request.forwardTo);
  // IPv4 datagrams are the firewall's alone: one that came before its rule would else bind its client to the forwarder, and
  // the container would not see who sends.
  if (request.forwardTo && request.protocol === 'udp' && isIPv6(request.hostIp))
    return forwardUdp(fd, request.forwardTo);
  return { [Symbol.dispose]: () => void libc.close(fd) };
}

/** A bound (and for streams listening) socket; undefined where the kernel has no such protocol, so that nothing can take it. */
function boundSocket({ protocol, hostIp, hostPort }: HostPortRequest): number | undefined {
  const v6 = isIPv6(hostIp);
  const type = (protocol === 'udp' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, type, protocol === 'sctp' ? IPPROTO_SCTP : 0);
  if (fd === -ERRNO.EPROTONOSUPPORT && protocol === 'sctp') return undefined;
  must(fd, 'socket');
  try {
    const on = u32(1);
    // A UDP socket with SO_REUSEADDR would let another program bind the same port.
    if (protocol !== 'udp') must(libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, on.length), 'setsockopt');
    if (v6) must(libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, on.length), 'setsockopt');
    const address = v6 ? socketAddress6(hostIp, hostPort) : socketAddress4(hostIp, hostPort);
    must(libc.bind(fd, address, address.length), 'bind');
    if (protocol !== 'udp') must(libc.listen(fd, BACKLOG), 'listen');
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** struct sockaddr_in. */
function socketAddress4(ip: string, port: number): Buffer {
  return Buffer.concat([u16(AF_INET), Uint8Array.of(port >> 8, port & 255), ipv4Bytes(ip), Buffer.alloc(8)]);
}

/** struct sockaddr_in6, without flow and scope. */
function socketAddress6(ip: string, port: number): Buffer {
  const head = [u16(AF_INET6), Uint8Array.of(port >> 8, port & 255), u32(0)];
  return Buffer.concat([...head, ipv6Bytes(ip), u32(0)]);
}

function ipv6Bytes(ip: string): Buffer {
  const [left = '', right] = ip.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const middle = right === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  const numbers = [...head, ...middle, ...tail].map((group) => Number.parseInt(group, 16));
  return Buffer.from(numbers.flatMap((number) => [number >> 8, number & 255]));
}

/** The words of Go's net package for a failed bind, which clients know. */
export function bindFailureText(error: SystemError): string {
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: 'address already in use',
    EADDRNOTAVAIL: 'cannot assign requested address',
    EACCES: 'permission denied',
    EAFNOSUPPORT: 'address family not supported by protocol',
  };
  return words[error.code] ?? error.message;
}
