import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../../spec/docker/types.gen.ts';
import { isInCpuset } from './cpuset.ts';
import { checkModes } from './modes.ts';

const messageOf = (host: HostConfig, config: ContainerConfig = {}): string => {
  try {
    checkModes(config, host);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const BY_POLICY = "can only be used with 'on-failure'";

test('who joins another container’s network brings no network settings of its own', () => {
  const host = { NetworkMode: 'container:x' };
  for (const [more, config, message] of [
    [{}, { Hostname: 'h' }, 'conflicting options: hostname and the network mode'],
    [{ Dns: ['1.1.1.1'] }, {}, 'conflicting options: dns and the network mode'],
    [{ ExtraHosts: ['a:1.1.1.1'] }, {}, 'conflicting options: custom host-to-IP mapping and the network mode'],
    [
      { PortBindings: { '80/tcp': [] } },
      {},
      'conflicting options: port publishing and the container type network mode',
    ],
    [{ PublishAllPorts: true }, {}, 'conflicting options: port publishing and the container type network mode'],
    [{}, { ExposedPorts: { '80/tcp': {} } }, 'conflicting options: port exposing and the container type network mode'],
    [
      { Links: ['a:b'] },
      {},
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    ],
  ] as const satisfies readonly (readonly [HostConfig, ContainerConfig, string])[]) {
    assert.equal(messageOf({ ...host, ...(more as HostConfig) }, config as ContainerConfig), message);
    assert.doesNotMatch(messageOf(more as HostConfig, config as ContainerConfig), /network mode/, 'alone it is fine');
  }
  assert.equal(messageOf(host), '');
});

test('a mode that does not exist is refused, and each that does is taken', () => {
  for (const host of [
    ...['', 'none', 'host', 'private', 'shareable', 'container:x'].map((IpcMode) => ({ IpcMode })),
    ...['', 'host', 'container:x'].map((PidMode) => ({ PidMode })),
    ...['', 'host'].map((UTSMode) => ({ UTSMode })),
    ...(['host', 'private'] as const).map((CgroupnsMode) => ({ CgroupnsMode })),
    ...(['', 'no', 'always', 'on-failure', 'unless-stopped'] as const).map((Name) => ({ RestartPolicy: { Name } })),
    { AutoRemove: true, RestartPolicy: { Name: 'no' as const } },
    { RestartPolicy: { Name: 'on-failure' as const, MaximumRetryCount: 3 } },
    { Isolation: 'default' as const },
    { OomScoreAdj: -1000 },
    { Annotations: { a: '' } },
    { Devices: [{ CgroupPermissions: 'mrw' }, {}] },
  ])
    assert.equal(messageOf(host), '', JSON.stringify(host));
  for (const [host, message] of [
    [{ IpcMode: 'container:' }, 'invalid IPC mode: container:'],
    [{ PidMode: 'private' }, 'invalid PID mode: private'],
    [{ UTSMode: 'hostile' }, 'invalid UTS mode: hostile'],
    [{ CgroupnsMode: 'x' }, 'invalid cgroup namespace mode: x'],
    [{ Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
    [{ ShmSize: -1 }, 'SHM size can not be less than 0'],
    [{ OomScoreAdj: -1001 }, 'Invalid value -1001, range for oom score adj is [-1000, 1000]'],
    [{ Devices: [{ CgroupPermissions: 'rx' }] }, 'bad mode specified: rx'],
    [{ Annotations: { '': 'x' } }, 'invalid Annotations: the empty string is not permitted as an annotation key'],
    [
      { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
      'invalid restart policy: maximum retry count cannot be negative',
    ],
    [
      { RestartPolicy: { Name: 'always', MaximumRetryCount: -1 } },
      `invalid restart policy: maximum retry count ${BY_POLICY} and cannot be negative`,
    ],
    [{ StorageOpt: { size: '1g' } }, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"],
    [{ StorageOpt: { speed: '1' } }, 'Unknown option speed'],
  ] as const) {
    assert.equal(messageOf(host as HostConfig), message);
  }
});

test('a container cannot rename the host', () => {
  assert.equal(messageOf({ UTSMode: 'host' }, { Hostname: 'x' }), 'conflicting options: hostname and the UTS mode');
  assert.match(messageOf({ UTSMode: 'host' }, { Domainname: 'x' }), /kernel\.domainname/);
  const own = 'is not allowed as it conflicts with the OCI "hostname" field';
  assert.equal(messageOf({ Sysctls: { 'kernel.hostname': 'x' } }), `sysctl "kernel.hostname" ${own}`);
});

test('kernel parameters are set only in namespaces of the container’s own', () => {
  const sysctl = (name: string, host: HostConfig = {}) => messageOf({ ...host, Sysctls: { [name]: '1' } });
  for (const name of ['net.core.somaxconn', 'kernel.shmmax', 'kernel.sem', 'fs.mqueue.msg_max', 'kernel.domainname'])
    assert.equal(sysctl(name), '', name);
  for (const name of ['vm.swappiness', 'kernel.panic', 'fs.file-max', 'kernel.shmmaxx', 'netx.a', '', '__proto__'])
    assert.match(sysctl(name), /is not in a separate kernel namespace/, name);
  assert.equal(sysctl('vm.swappiness'), 'sysctl "vm.swappiness" is not in a separate kernel namespace');
  assert.match(sysctl('kernel.shmmax', { IpcMode: 'host' }), /not allowed in the hosts ipc namespace/);
  assert.match(sysctl('fs.mqueue.msg_max', { IpcMode: 'host' }), /not allowed in the hosts ipc namespace/);
  assert.match(sysctl('kernel.domainname', { UTSMode: 'host' }), /is not in a separate kernel namespace/);
});

test('a set of CPUs is one that the host has, in the form that the kernel takes', () => {
  const has = (asked: string, available = '0-3,8') => isInCpuset(asked, available, 'cpus');
  for (const asked of ['', '0', '3', '0-3', '8', '1,2,8', '0-1,8-8']) assert.equal(has(asked), true, asked);
  for (const asked of ['4', '3-4', '7-8', '0,9']) assert.equal(has(asked), false, asked);
  for (const asked of ['x', '1-', '-1', '3-1', '1,,2', '1 ', '0x1', '1-2-3'])
    assert.throws(() => has(asked), { message: `Invalid value ${asked} for cpuset cpus: invalid format: ${asked}` });
  assert.throws(() => has('0-99999999999'), { message: /value of out range, maximum is 8192/ });
});
