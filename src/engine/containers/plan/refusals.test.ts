// What Docker would write, open or drop, and this engine refuses in words of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerCreateRequest, EndpointSettings, HostConfig } from '../../../spec/docker/types.gen.ts';
import { type CreateFacts, planCreate } from './create.ts';
import { portRequests } from './ports.ts';
import { checkSysctls } from './sysctls.ts';

const FACTS = {
  cpus: 2,
  support: { limits: new Set(), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
  cgroupVersion: 1,
  defaultRuntime: 'crun',
  runtimes: ['crun'],
  logDriver: 'json-file',
  logOptions: {},
  id: 'ab'.repeat(32),
  created: '2024-01-01T00:00:00Z',
  hostName: 'host',
  peers: {},
  inherited: [],
  image: { id: '', platform: { os: 'linux', architecture: 'amd64' }, config: { Cmd: ['true'] } },
} as unknown as CreateFacts;

const plan = (body: ContainerCreateRequest) => planCreate({ Image: 'x', ...body }, FACTS);
const withHost = (given: HostConfig) => () => plan({ HostConfig: given });
const withEndpoint = (settings: EndpointSettings) => () =>
  plan({ NetworkingConfig: { EndpointsConfig: { bridge: settings } } });

test('no value adds a line to a container’s hosts, hostname or resolv.conf', () => {
  const refused = { kind: 'invalid', code: 'CONTROL_CHARACTER' };
  for (const text of ['a\nb', 'a\rb', 'a\0', '\x7f', 'a\tb']) {
    assert.throws(() => plan({ Hostname: text }), refused);
    assert.throws(() => plan({ Domainname: text }), refused);
    assert.throws(withHost({ DnsSearch: [text] }), refused);
    assert.throws(withHost({ DnsOptions: [text] }), refused);
    assert.throws(withHost({ Dns: [`1.1.1.1${text}`] }), { code: 'NAMESERVER' });
    assert.throws(withHost({ ExtraHosts: [`${text}:1.1.1.1`] }), { code: 'EXTRA_HOST' });
    assert.throws(withHost({ ExtraHosts: [`a:1.1.1.1${text}`] }), { code: 'EXTRA_HOST' });
  }
  assert.throws(() => plan({ Hostname: 'a\nb' }), {
    message: 'invalid hostname: "a\\nb" contains a control character',
  });
});

test('what Docker grants and this engine does not yet have is said, never dropped', () => {
  const refused = (what: string) => ({ kind: 'notImplemented', message: `not supported by this engine yet: ${what}` });
  assert.throws(withHost({ Links: ['peer:alias'] }), refused('links (--link)'));
  assert.throws(
    withHost({ Mounts: [{ Type: 'image', Source: 'x', Target: '/x', ImageOptions: { Subpath: 'y' } }] }),
    refused('mounts of type image'),
  );
  assert.throws(
    withEndpoint({ IPAMConfig: { LinkLocalIPs: ['169.254.1.1'] } }),
    refused('link-local addresses (on network bridge)'),
  );
  assert.throws(
    withEndpoint({ DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=1' } }),
    refused('the endpoint option com.docker.network.endpoint.sysctls (on network bridge)'),
  );
});

test('a port is never opened on more addresses than were asked for', () => {
  for (const HostIp of ['x', '1.2.3', '127.0.0.1:80'])
    assert.throws(() => portRequests({}, { PortBindings: { '80/tcp': [{ HostIp }] } }), { code: 'INVALID_HOST_IP' });
  for (const HostIp of ['', '127.0.0.1', '::1', 'fe80::1'])
    assert.equal(portRequests({}, { PortBindings: { '80/tcp': [{ HostIp }] } })[0]?.hostIp, HostIp);
});

test('a container without a network joins no other', () => {
  const EndpointsConfig = { none: {}, bridge: {} };
  assert.throws(() => plan({ HostConfig: { NetworkMode: 'none' }, NetworkingConfig: { EndpointsConfig } }), {
    kind: 'invalid',
    message: /cannot be connected to multiple networks with one of the networks in private \(none\) mode/,
  });
});

test('a kernel parameter is the same one in both spellings', () => {
  const host = { NetworkMode: 'host' };
  for (const name of ['net.ipv4.ip_forward', 'net/ipv4/ip_forward']) {
    checkSysctls({ Sysctls: { [name]: '1' } });
    assert.throws(() => checkSysctls({ Sysctls: { [name]: '1' }, ...host }), {
      message: `sysctl "${name}" not allowed in host network namespace`,
    });
  }
  // An interface whose name has a dot is written so.
  assert.throws(() => checkSysctls({ Sysctls: { 'net/ipv4/conf/eth0/forwarding': '1' } }), {
    code: 'INTERFACE_SYSCTL',
  });
  checkSysctls({ Sysctls: { 'net/ipv4/conf/eth0.5/forwarding': '1' } });
});
