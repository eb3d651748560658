// Owns the create bodies that ask for networks. User networks do not exist yet: what is asked of them must not be dropped.

import { type BodyCase, config, host, sees, type Try } from '../types.ts';

const endpoints = (mode: string, EndpointsConfig: Record<string, unknown>, more: Omit<Try, 'body'> = {}): Try => ({
  body: { HostConfig: { NetworkMode: mode }, NetworkingConfig: { EndpointsConfig } },
  ...more,
});
const PEER = { NetworkMode: 'container:$N-peer' };
const MAC = '02:42:ac:11:00:09';

export const NETWORKS: readonly BodyCase[] = [
  {
    name: 'who joins another container’s network changes nothing of it',
    peer: true,
    tries: [
      host({ NetworkMode: 'container' }),
      host({ NetworkMode: 'container:' }),
      host({ ...PEER, Links: ['a:b'] }),
      host({ ...PEER, Dns: ['1.1.1.1'] }),
      host({ ...PEER, ExtraHosts: ['a:1.1.1.1'] }),
      host({ ...PEER, PortBindings: { '80/tcp': [{}] } }),
      host({ ...PEER, PublishAllPorts: true }),
      host(PEER, { body: { ExposedPorts: { '80/tcp': {} } } }),
      host(PEER, { body: { Hostname: 'x' } }),
      host(PEER, { body: { MacAddress: MAC } }),
      host({ ...PEER, DnsSearch: ['x'], DnsOptions: ['x'] }, { body: { Domainname: 'x' }, start: true }),
      endpoints('container:$N-peer', { bridge: {} }, { start: true }),
    ],
  },
  {
    name: 'what the host’s network makes useless is refused or told',
    tries: [
      host({ NetworkMode: 'host', Links: ['a:b'] }),
      host({ NetworkMode: 'host' }, { body: { MacAddress: MAC } }),
      host({ NetworkMode: 'host', PortBindings: { '80/tcp': [{}] } }),
      host({ NetworkMode: 'host', PublishAllPorts: true }),
    ],
  },
  {
    name: 'a network that is not there is not dropped',
    tries: [
      endpoints('bridge', { bridge: {}, nope: {} }, { start: true }),
      endpoints('bridge', { nope: {} }, { start: true }),
      endpoints('nope', {}, { start: true }),
      endpoints('bridge', { bridge: {}, host: {} }, { start: true }),
      endpoints('none', { bridge: {} }, { start: true }),
    ],
  },
  {
    name: 'addresses, aliases and MAC addresses of endpoints are checked',
    tries: [
      ...[
        { IPv4Address: '172.30.0.9' },
        { IPv6Address: 'fd00::9' },
        { IPv4Address: 'x' },
        { IPv4Address: 'fd00::1' },
        { IPv6Address: '1.2.3.4' },
        { LinkLocalIPs: ['x'] },
      ].map((IPAMConfig) => endpoints('bridge', { bridge: { IPAMConfig } })),
      endpoints('bridge', {
        bridge: { Aliases: ['a'], IPAMConfig: { IPv4Address: 'x', IPv6Address: 'y', LinkLocalIPs: ['z'] } },
      }),
      endpoints('nope', { nope: { IPAMConfig: { IPv4Address: 'x' } } }),
      endpoints('default', { default: { Aliases: ['a'] } }),
      ...['bridge', 'host', 'none'].map((name) => endpoints(name, { [name]: { Aliases: ['a'] } })),
      endpoints('bridge', { bridge: { MacAddress: 'x' } }),
      endpoints('nope', { nope: { MacAddress: 'x' } }),
      config({ MacAddress: 'x' }),
      config({
        MacAddress: MAC,
        HostConfig: { NetworkMode: 'bridge' },
        NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:42:ac:11:00:08' } } },
      }),
    ],
  },
  {
    name: 'a MAC address is given, in each of its spellings',
    tries: [MAC, '02-42-ac-11-00-09', '0242.ac11.0009'].map((MacAddress) => ({
      ...sees(
        'cat /sys/class/net/eth0/address',
        { NetworkMode: 'bridge' },
        {
          NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress } } },
        },
      ),
    })),
  },
  {
    name: 'endpoint settings that change nothing are kept',
    tries: [
      endpoints(
        'bridge',
        { bridge: { GwPriority: 5, DriverOpts: { foo: 'bar' }, Links: ['a:b'] } },
        {
          start: true,
          shows: ['GwPriority', 'DriverOpts', 'Links'].map((field) => `NetworkSettings.Networks.bridge.${field}`),
        },
      ),
    ],
  },
  {
    name: 'what an engine says of an endpoint is not for clients to say',
    tries: [
      endpoints(
        'bridge',
        {
          bridge: {
            NetworkID: 'x',
            EndpointID: 'y',
            Gateway: '1.2.3.4',
            IPAddress: '1.2.3.5',
            IPPrefixLen: 7,
            IPv6Gateway: 'fe80::1',
            GlobalIPv6Address: 'fe80::2',
            GlobalIPv6PrefixLen: 9,
            DNSNames: ['z'],
          },
        },
        {
          start: true,
          shows: ['EndpointID', 'Gateway', 'IPAddress', 'IPPrefixLen', 'IPv6Gateway'].map(
            (field) => `NetworkSettings.Networks.bridge.${field}`,
          ),
        },
      ),
    ],
  },
  {
    name: 'ports make sense',
    tries: [
      host({ PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } }, { start: true }),
      host({ PublishAllPorts: true }, { body: { ExposedPorts: { '80/tcp': {} } }, start: true }),
      config({ ExposedPorts: { '80/x': {} } }),
      ...[
        { x: [{}] },
        { '80': [{ HostPort: 'x' }] },
        { '80/tcp': [{ HostPort: '99999' }] },
        { '80/tcp': [{ HostPort: '5-3' }] },
        { '99999/tcp': [{}] },
        { '80-81/tcp': [{}] },
      ].map((PortBindings) => host({ PortBindings })),
      config(
        { NetworkDisabled: true, Cmd: ['ls', '/sys/class/net'] },
        { start: true, shows: ['Config.NetworkDisabled'] },
      ),
    ],
  },
];
