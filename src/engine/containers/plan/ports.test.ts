import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { portRequests } from './ports.ts';

const texts = (host: HostConfig, exposed: readonly string[] = []): readonly string[] =>
  portRequests({ ExposedPorts: Object.fromEntries(exposed.map((key) => [key, {}])) }, host).map(
    ({ containerPort, protocol, hostIp, hostPorts }) =>
      `${hostIp}:${hostPorts ? `${hostPorts.first}-${hostPorts.last}` : '*'} ${containerPort}/${protocol}`,
  );

test('every binding becomes one request, in the order of the container’s ports', () => {
  const PortBindings = {
    '443/tcp': [{ HostPort: '8443' }],
    '80/tcp': [{ HostIp: '::1', HostPort: '8080' }, { HostPort: '' }, { HostPort: '0' }],
    '53/UDP': [{ HostPort: '5000-5010' }],
    '9': [{ HostPort: '9' }],
    '70/tcp': null as never,
  };
  assert.deepEqual(texts({ PortBindings }), [
    ':9-9 9/tcp',
    ':5000-5010 53/udp',
    '::1:8080-8080 80/tcp',
    ':* 80/tcp',
    ':* 80/tcp',
    ':8443-8443 443/tcp',
  ]);
});

test('-P publishes what is exposed and has no binding of its own', () => {
  const PortBindings = { '80/tcp': [{ HostPort: '8080' }], '81/tcp': [] };
  const exposed = ['80/tcp', '81/tcp', '53/udp'];
  assert.deepEqual(texts({ PortBindings, PublishAllPorts: true }, exposed), [
    ':* 53/udp',
    ':8080-8080 80/tcp',
    ':* 81/tcp',
  ]);
  assert.deepEqual(texts({ PortBindings: {} }, exposed), []);
});

test('a port that is none is refused: it would be another one, or all', () => {
  for (const key of ['', 'x/tcp', '80/', '80/icmp', '65536/tcp', '-1/tcp', '80-81/tcp', '1e3/tcp', ' 80/tcp'])
    assert.throws(() => texts({ PortBindings: { [key]: [{}] } }), { code: 'INVALID_PORT' }, key);
  for (const HostPort of ['65536', '80-', '-80', '90-80', '0x50', '80,81', '8080 '])
    assert.throws(() => texts({ PortBindings: { '80/tcp': [{ HostPort }] } }), { code: 'INVALID_PORT' }, HostPort);
});
