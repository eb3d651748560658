import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSettings } from '../../../spec/docker/types.gen.ts';
import { planEndpoints } from './endpoints.ts';

type Asked = Record<string, EndpointSettings | null>;

const plan = (NetworkMode: string | undefined, EndpointsConfig: Asked = {}) =>
  planEndpoints({ NetworkMode }, { EndpointsConfig: EndpointsConfig as Record<string, EndpointSettings> });

test('a container joins the networks that it was asked to join, else the one of its mode', () => {
  for (const [mode, asked, names] of [
    [undefined, {}, ['bridge']],
    ['', {}, ['bridge']],
    ['default', {}, ['bridge']],
    ['default', { default: {} }, ['bridge']],
    ['bridge', {}, ['bridge']],
    ['host', {}, ['host']],
    ['none', {}, ['none']],
    ['front', {}, ['front']],
    ['front', { back: {}, front: {} }, ['back', 'front']],
    ['container:x', {}, []],
    ['container:x', { bridge: {} }, []],
    ['host', { host: {} }, ['host']],
  ] as const satisfies readonly (readonly [string | undefined, Asked, readonly string[]])[]) {
    assert.deepEqual(Object.keys(plan(mode, asked)), names, JSON.stringify([mode, asked]));
  }
});

test('what was asked of an endpoint is kept, and nothing is made up', () => {
  assert.deepEqual(plan('front', { front: {} }), { front: { aliases: [] } });
  const asked = {
    Aliases: ['a'],
    Links: ['x:y'],
    MacAddress: '0242.ac11.0009',
    DriverOpts: { other: '1' },
    GwPriority: 5,
    IPAMConfig: { IPv4Address: '10.0.0.2' },
  };
  assert.deepEqual(plan('front', { front: asked }), {
    front: {
      aliases: ['a'],
      links: ['x:y'],
      macAddress: '02:42:ac:11:00:09',
      driverOptions: { other: '1' },
      gatewayPriority: 5,
      ipam: { IPv4Address: '10.0.0.2' },
    },
  });
});

test('networks that cannot be joined together are refused at the create', () => {
  for (const [mode, asked, message] of [
    ['host', { bridge: {} }, /sharing network namespace with another container or host cannot be connected/],
    ['bridge', { host: {} }, /container must be created in host network mode/],
    ['bridge', { none: {}, front: {} }, /multiple networks with one of the networks in private \(none\) mode/],
  ] as const satisfies readonly (readonly [string, Asked, RegExp])[]) {
    assert.throws(() => plan(mode, asked), { kind: 'invalid', code: 'NETWORKS_TOGETHER', message });
  }
});

test('an endpoint that makes no sense is refused, all its faults in one message', () => {
  const of = (network: string, why: string) => `invalid config for network ${network}: ${why}`;
  for (const [network, settings, message] of [
    ['front', null, of('front', 'EndpointsConfig is nil')],
    ['front', { MacAddress: 'zz' }, of('front', 'invalid MAC address zz')],
    ['front', { MacAddress: '02-42:ac:11:00:09' }, of('front', 'invalid MAC address 02-42:ac:11:00:09')],
    ['front', { IPAMConfig: { IPv4Address: 'x' } }, of('front', 'invalid endpoint settings:\ninvalid IPv4 address: x')],
    [
      'front',
      { IPAMConfig: { IPv4Address: '::1', IPv6Address: '1.2.3.4' } },
      of('front', 'invalid endpoint settings:\n* invalid IPv4 address: ::1\n* invalid IPv6 address: 1.2.3.4'),
    ],
    [
      'front',
      { IPAMConfig: { LinkLocalIPs: ['x'] } },
      of('front', 'invalid endpoint settings:\ninvalid link-local IP address: x'),
    ],
    [
      'bridge',
      { Aliases: ['a'] },
      of(
        'bridge',
        'invalid endpoint settings:\nnetwork-scoped alias is supported only for containers in user defined networks',
      ),
    ],
  ] as const satisfies readonly (readonly [string, EndpointSettings | null, string])[]) {
    assert.throws(() => plan('bridge', { [network]: settings }), { kind: 'invalid', code: 'ENDPOINT', message });
  }
});
