import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerRecord, ContainerState } from '../../engine/containers/types.ts';
import { digestOfHex } from '../../spec/digest.ts';
import { containerInspectView, containerSummaryView, statusText } from './container.ts';

const NOW = Date.parse('2026-11-24T03:09:11Z');
const STATE: ContainerState = {
  phase: 'running',
  pid: 7,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: '2026-11-24T03:09:09.722710015Z',
  finishedAt: '0001-01-01T00:00:00Z',
  restartCount: 0,
  stoppedByHand: false,
};
const RECORD: ContainerRecord = {
  id: 'b967ce4a894704fae2eb892f837ca600f3580fd49663bd329ddaa8d6b45ef076',
  name: 'web',
  created: '2026-11-24T03:09:09.70463871Z',
  imageId: digestOfHex('ae159405235f98a820194d28a0056d66690cc5cabc475fe64ff9b1e1b258f7d6'),
  imageName: 'busybox',
  platform: { os: 'linux', architecture: 'amd64' },
  config: { Hostname: 'b967ce4a8947', ExposedPorts: { '99/tcp': {}, '80/tcp': {} }, Labels: { z: '1', a: '2' } },
  hostConfig: { NetworkMode: 'bridge', Tmpfs: { '/t2': '' } },
  networks: {},
  mounts: [
    {
      type: 'volume',
      name: 'v',
      source: '/v/_data',
      destination: '/data',
      driver: 'local',
      mode: 'z',
      writable: true,
      propagation: '',
    },
    { type: 'tmpfs', source: '', destination: '/t2', mode: '', writable: true, propagation: '' },
    { type: 'bind', source: '/tmp', destination: '/b', mode: 'ro', writable: false, propagation: 'rprivate' },
  ],
  command: ['sh', '-c', 'sleep 9'],
  runtime: 'crun',
  logDriver: 'json-file',
  logOptions: {},
  state: STATE,
  endpoints: [
    {
      endpointId: 'e1',
      networkId: 'n1',
      networkName: 'bridge',
      ipAddress: '172.17.0.3',
      prefixLength: 16,
      gateway: '172.17.0.1',
      macAddress: 'ee:c1:61:82:e2:af',
      ports: [
        { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
        { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 },
      ],
    },
  ],
};
const paths = {
  dir: '/d',
  resolvConf: '/d/r',
  hostname: '/d/h',
  hosts: '/d/o',
  log: '/d/l',
  shm: '/shm',
  upper: '/d/u',
  work: '/d/w',
};
const inspect = (record: ContainerRecord) =>
  containerInspectView({ record, paths, execIds: [], lowerDirs: ['/l/2', '/l/1'] }, () => 'n1');

describe('a container as Docker shows it', () => {
  it('has Docker’s fields in Docker’s order', () => {
    assert.equal(
      Object.keys(inspect(RECORD)).join(' '),
      'Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel ' +
        'ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings',
    );
  });

  it('shows a network that is called like something of every object', () => {
    for (const mode of ['constructor', '__proto__']) {
      const record = { ...RECORD, endpoints: [], hostConfig: { ...RECORD.hostConfig, NetworkMode: mode } };
      const { Networks } = inspect(record).NetworkSettings as { Networks: object };
      assert.deepEqual(Object.keys(Networks), [mode]);
    }
  });

  it('shows published and merely exposed ports, and none when stopped', () => {
    const settings = inspect(RECORD).NetworkSettings as { Ports: unknown };
    assert.deepEqual(settings.Ports, {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '99/tcp': null,
    });
    const stopped = inspect({ ...RECORD, endpoints: [], state: { ...STATE, phase: 'exited' } });
    assert.deepEqual((stopped.NetworkSettings as { Ports: unknown }).Ports, {});
  });

  it('hides tmpfs of flags among its mounts, and paths before the first start', () => {
    const view = inspect(RECORD);
    assert.deepEqual(
      (view.Mounts as { Destination: string }[]).map((mount) => mount.Destination),
      ['/b', '/data'],
    );
    const created = inspect({ ...RECORD, state: { ...STATE, phase: 'created', startedAt: '0001-01-01T00:00:00Z' } });
    assert.equal(created.HostsPath, '');
  });

  it('quotes words with spaces in a list and sorts its ports', () => {
    const line = containerSummaryView(RECORD, { idOf: () => 'n1', nowMs: NOW, image: 'busybox' });
    assert.equal(line.Command, "sh -c 'sleep 9'");
    assert.deepEqual(line.Ports, [
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { PrivatePort: 99, Type: 'tcp' },
    ]);
    assert.deepEqual(Object.keys(line.Labels as object), ['a', 'z']);
  });

  it('words STATUS for every phase', () => {
    const finishedAt = '2026-11-24T03:08:11Z';
    const words: Readonly<Record<ContainerState['phase'], string>> = {
      created: 'Created',
      running: 'Up 1 second',
      paused: 'Up 1 second (Paused)',
      restarting: 'Restarting (3) About a minute ago',
      removing: 'Removal In Progress',
      exited: 'Exited (3) About a minute ago',
      dead: 'Dead',
    };
    for (const [phase, text] of Object.entries(words) as [ContainerState['phase'], string][]) {
      assert.equal(statusText({ ...STATE, phase, exitCode: 3, finishedAt }, NOW), text);
    }
  });
});
