// Owns the create bodies that ask for namespaces, policies and kernel parameters.

import { type BodyCase, config, host, sees } from '../types.ts';

export const MODES: readonly BodyCase[] = [
  {
    name: 'a mode that does not exist is refused',
    tries: [
      ...['foo', 'private', 'container:'].map((PidMode) => host({ PidMode })),
      ...['foo', 'private'].map((UTSMode) => host({ UTSMode })),
      host({ IpcMode: 'foo' }),
      host({ CgroupnsMode: 'foo' }),
      ...['foo', 'hyperv', 'process'].map((Isolation) => host({ Isolation })),
      host({ Isolation: 'default' }, { shows: ['HostConfig.Isolation'] }),
      ...['foo', 'private', 'host'].map((UsernsMode) => host({ UsernsMode }, { shows: ['HostConfig.UsernsMode'] })),
      sees('grep -q /$N/ /proc/self/cgroup && echo below', { CgroupParent: '/$N', CgroupnsMode: 'host' }),
      host({ Cgroup: 'foo' }, { start: true, shows: ['HostConfig.Cgroup'] }),
      host({ Runtime: 'nope' }),
    ],
  },
  {
    name: 'a namespace is shared with the container that was meant, whatever it is called later',
    peer: true,
    tries: [
      ...['PidMode', 'IpcMode', 'NetworkMode'].map((mode) =>
        host({ [mode]: 'container:$N-peer' }, { shows: [`HostConfig.${mode}`] }),
      ),
      host({ PidMode: 'container:nope' }),
      host({ IpcMode: 'container:nope' }),
      host({ NetworkMode: 'container:nope' }, { start: true }),
      sees('grep -c sleep /proc/1/cmdline', { PidMode: 'container:$N-peer' }),
    ],
  },
  {
    name: 'the host’s name is not changed by a container that shares it',
    tries: [
      host({ UTSMode: 'host' }, { body: { Hostname: 'x' } }),
      host({ UTSMode: 'host' }, { body: { Domainname: 'x' }, start: true }),
      host({ UTSMode: 'host', Sysctls: { 'kernel.domainname': 'x' } }, { start: true }),
      host({ UTSMode: 'host' }, { shows: ['Config.Hostname', 'Config.Domainname'] }),
      host({ NetworkMode: 'host' }, { body: { Hostname: 'own' }, shows: ['Config.Hostname'] }),
      sees('hostname', { NetworkMode: 'host' }, { Hostname: 'own' }),
    ],
  },
  {
    name: 'a restart policy makes sense',
    tries: [
      ...[
        { Name: 'foo' },
        { Name: 'always', MaximumRetryCount: 2 },
        { Name: 'on-failure', MaximumRetryCount: -2 },
        { Name: '', MaximumRetryCount: 2 },
        { Name: 'no', MaximumRetryCount: 2 },
        { Name: 'no', MaximumRetryCount: -2 },
      ].map((RestartPolicy) => host({ RestartPolicy })),
      host({ RestartPolicy: { Name: 'always' }, AutoRemove: true }),
      host({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } }, { shows: ['HostConfig.RestartPolicy'] }),
    ],
  },
  {
    name: 'kernel parameters of the host are out of reach',
    tries: [
      ...['nope', 'kernel.nope', '', 'kernel.hostname', 'vm.swappiness'].map((name) =>
        host({ Sysctls: { [name]: '1' } }, { start: true }),
      ),
      host({ Sysctls: { 'net.ipv4.ip_forward': '1' }, NetworkMode: 'host' }, { start: true }),
      host({ Sysctls: { 'kernel.msgmax': '8193' }, IpcMode: 'host' }, { start: true }),
      ...['net.ipv4.conf.eth0.forwarding', 'net.ipv4.neigh.eth0.anycast_delay', 'net.mpls.conf.eth0.input'].map(
        (name) => host({ Sysctls: { [name]: '1' } }),
      ),
    ],
  },
  {
    name: 'kernel parameters of the container are set, in either spelling',
    tries: [
      sees('cat /proc/sys/net/ipv4/ip_default_ttl', { Sysctls: { 'net.ipv4.ip_default_ttl': '7' } }),
      sees('cat /proc/sys/net/ipv4/ip_default_ttl', { Sysctls: { 'net/ipv4/ip_default_ttl': '8' } }),
      sees('cat /proc/sys/fs/mqueue/msg_max', { Sysctls: { 'fs.mqueue.msg_max': '8' } }),
      sees('cat /proc/sys/kernel/shm_rmid_forced', { Sysctls: { 'kernel.shm_rmid_forced': '1' } }),
      sees('cat /proc/sys/kernel/domainname', { Sysctls: { 'kernel.domainname': 'example.org' } }),
    ],
  },
  {
    name: 'annotations, sizes and files of clients are kept',
    tries: [
      host({ Annotations: { '': 'x' } }),
      host({ Annotations: { a: '' } }, { shows: ['HostConfig.Annotations'] }),
      host({ ConsoleSize: [24, 80] }, { shows: ['HostConfig.ConsoleSize'] }),
      host({ ContainerIDFile: '/x' }, { shows: ['HostConfig.ContainerIDFile'] }),
      ...[{ size: '1g' }, { size: 'x' }, { foo: '1g' }, {}].map((StorageOpt) => host({ StorageOpt })),
      host({ AutoRemove: true }, { shows: ['HostConfig.AutoRemove'] }),
      config(
        { ArgsEscaped: true, Shell: ['sh'], OnBuild: ['RUN x'] },
        {
          shows: ['Config.ArgsEscaped', 'Config.Shell', 'Config.OnBuild'],
        },
      ),
      config({ StopSignal: '9', StopTimeout: -1 }, { shows: ['Config.StopSignal', 'Config.StopTimeout'] }),
      ...['NOPE', '0'].map((StopSignal) => config({ StopSignal })),
    ],
  },
];
