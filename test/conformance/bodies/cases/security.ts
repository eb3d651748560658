// Owns the create bodies that ask for privileges, confinement and devices.

import { type BodyCase, host, sees } from '../types.ts';

const security = (option: string) => host({ SecurityOpt: [option] }, { start: true });
const CAPABILITIES = 'grep CapEff /proc/self/status';
const CGROUP = 'grep " /sys/fs/cgroup\\(/cpu\\)* " /proc/mounts | cut -d" " -f2-4';
const NULL = { PathOnHost: '/dev/null', PathInContainer: '/dev/mynull', CgroupPermissions: 'rwm' };

export const SECURITY: readonly BodyCase[] = [
  {
    name: 'a security option that is not understood is refused',
    tries: [
      ...[
        'nope',
        'nope=1',
        'no-new-privileges=x',
        'writable-cgroups=x',
        'systempaths=unconfined',
        'credentialspec=x',
        '',
      ],
      ...['seccomp=nope', 'seccomp={"x'],
      ...['no-new-privileges:true', 'apparmor=unconfined', 'label=disable', 'label=type:foo_t', 'disable', 'seccomp='],
      ...['writable-cgroups', 'writable-cgroups=false', 'writable-cgroups:true'],
    ].map(security),
  },
  {
    name: 'capabilities that do not exist are refused',
    tries: [
      ...['NOPE', '', 'constructor'].map((name) => host({ CapAdd: [name] })),
      host({ CapDrop: ['NOPE'] }),
      host({ Privileged: true, CapAdd: ['NOPE'] }),
      sees(CAPABILITIES, { CapAdd: ['ALL'], CapDrop: ['ALL'] }),
      sees(CAPABILITIES, { Privileged: true, CapDrop: ['ALL'] }),
      sees(CAPABILITIES, { CapAdd: 'SYS_TIME', CapDrop: ['cap_chown'] }),
    ],
  },
  {
    name: 'cgroups are writable for whom they shall be, and their folder for nobody else',
    tries: [
      sees(CGROUP, {}),
      sees(CGROUP, { SecurityOpt: ['writable-cgroups=true'] }),
      sees(CGROUP, { Privileged: true }),
      sees(CGROUP, { Privileged: true, SecurityOpt: ['writable-cgroups=false'] }),
      sees('stat -c %a /sys/fs/cgroup', {}),
    ],
  },
  {
    name: 'a privileged container keeps what was asked of it besides',
    tries: [
      sees('cat /proc/keys', { Privileged: true, MaskedPaths: ['/proc/keys'] }),
      sees('echo 1 > /proc/sys/kernel/domainname', { Privileged: true, ReadonlyPaths: ['/proc/sys'] }),
      sees('grep -E "NoNewPrivs|Seccomp:" /proc/self/status', { Privileged: true, SecurityOpt: ['no-new-privileges'] }),
      sees('touch /x', { Privileged: true, ReadonlyRootfs: true }),
      sees('ls /dev/mynull', { Privileged: true, Devices: [NULL] }),
      host({ Privileged: true }, { shows: ['HostConfig.MaskedPaths', 'HostConfig.ReadonlyPaths'] }),
      host(
        { MaskedPaths: [], ReadonlyPaths: ['/nope'] },
        {
          start: true,
          shows: ['HostConfig.MaskedPaths', 'HostConfig.ReadonlyPaths'],
        },
      ),
    ],
  },
  {
    name: 'devices that are not there are not dropped',
    tries: [
      ...['/dev/nope', '', '/etc', '/etc/passwd', 'null'].map((PathOnHost) =>
        host({ Devices: [{ ...NULL, PathOnHost }] }, { start: true }),
      ),
      sees('echo x > /dev/mynull; stat -c %t,%T /dev/mynull', { Devices: [NULL] }),
      ...['bogus', 'c 1:3 rwmx'].map((rule) => host({ DeviceCgroupRules: [rule] }, { start: true })),
      sees('true', { DeviceCgroupRules: ['c 42:* rr', 'a *:* rwm'] }),
      ...['BlkioDeviceReadBps', 'BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'].map((field) =>
        host({ [field]: [{ Path: '/dev/nope', Rate: 1024 }] }, { start: true }),
      ),
    ],
  },
  {
    name: 'devices of drivers and makers are refused where there is no driver',
    tries: [
      {},
      { Count: -1, Capabilities: [['gpu']] },
      { Driver: 'nvidia', Count: 1, Capabilities: [['gpu', 'x']] },
      { Capabilities: [['gpu', 'nvidia'], ['tpu']] },
      { Driver: 'cdi', DeviceIDs: ['vendor.com/class=name'] },
      { Driver: 'cdi', DeviceIDs: ['bogus'] },
      { Driver: 'cdi', Count: 1 },
      { Driver: 'cdi', DeviceIDs: ['v.com/c=a'], Options: { a: 'b' } },
    ].map((request) => host({ DeviceRequests: [request] }, { start: true })),
  },
];
