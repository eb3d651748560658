// Owns the create bodies that say who a container's process is: its environment, folder, user, names and files of names.

import { type BodyCase, config, host, sees } from '../types.ts';

const HOSTS = 'tail -n +7 /etc/hosts';
const RESOLV = 'grep -v "^#" /etc/resolv.conf';

export const IDENTITY: readonly BodyCase[] = [
  {
    name: 'the command, its streams, its first process and its words about itself are those of the body',
    tries: [
      config({ Entrypoint: ['echo', 'a  b'], Cmd: ['c'] }, { start: true }),
      config({ Entrypoint: ['true'], Cmd: null }, { start: true, shows: ['Path', 'Args'] }),
      config({ Cmd: 'true' }, { start: true, shows: ['Config.Cmd'] }),
      config({ Image: 'nosuch/nosuch' }),
      sees('test -t 1 && echo terminal', {}, { Tty: true }),
      sees('cat; echo ended', {}, {}),
      sees('test $$ = 1 || echo not the first', { Init: true }),
      sees('cat /proc/sys/kernel/domainname; hostname', {}, { Hostname: 'h', Domainname: 'example.org' }),
      sees('id; echo $HOME', { GroupAdd: ['12', '13'] }, { User: '5:7' }),
      sees('test $$ = 1 && echo ran', { Runtime: 'runc' }),
      config(
        { AttachStdin: true, AttachStdout: true, OpenStdin: true, StdinOnce: true },
        {
          shows: ['AttachStdin', 'AttachStdout', 'AttachStderr', 'OpenStdin', 'StdinOnce'].map((at) => `Config.${at}`),
        },
      ),
      config({ AttachStderr: false }, { shows: ['Config.AttachStderr'] }),
      config({ Labels: { a: 'b', '': 'c' } }, { shows: ['Config.Labels'] }),
    ],
  },
  {
    name: 'a variable without a name is refused',
    tries: [[''], ['=foo'], ['A=\u00001']].map((Env) => config({ Env }, { start: true })),
  },
  {
    name: 'variables come as they were given, and HOME where there is none or an empty one',
    tries: [
      sees('env | grep -v HOSTNAME', {}, { Env: ['A', 'B=', 'C d=1', 'E=1\n2', 'HOME='] }),
      sees('echo $HOME', {}, { User: '55' }),
      sees('echo $HOME', {}, { User: 'nobody' }),
      sees('echo $HOME', {}, { User: 'nobody', Env: ['HOME='] }),
      sees('echo $HOME', {}, { User: 'nobody', Env: ['HOME=/x'] }),
      sees('echo $HOME', {}, { Env: ['HOME'] }),
    ],
  },
  {
    name: 'the working directory is absolute and in its plain form',
    tries: [
      config({ WorkingDir: 'rel' }),
      ...['/a/../b//c/', '/', '/x/.'].map((WorkingDir) =>
        config({ WorkingDir, Cmd: ['pwd'] }, { start: true, shows: ['Config.WorkingDir'] }),
      ),
    ],
  },
  {
    name: 'users and groups that do not exist are refused at the start',
    tries: [
      ...['nosuch', 'nobody:nosuch', 'a:b:c', '-1', '4294967296'].map((User) => config({ User }, { start: true })),
      ...['nosuch', '-1'].map((group) => host({ GroupAdd: [group] }, { start: true })),
    ],
  },
  {
    name: 'a health check makes sense',
    tries: [
      ...[{ Interval: 5 }, { Timeout: 5 }, { StartPeriod: -5 }, { StartInterval: 5 }, { Retries: -1 }].map(
        (Healthcheck) => config({ Healthcheck }),
      ),
      config({ Healthcheck: { Test: ['NONE'] } }, { shows: ['Config.Healthcheck'] }),
    ],
  },
  {
    name: 'names for addresses are checked, and written on every network',
    tries: [
      ...['', 'a', 'a:', 'a:b', ':1.1.1.1', 'a=1.1.1.1', 'a:[::1]', 'a:1.1.1.1\n2.2.2.2 evil'].map((entry) =>
        host({ ExtraHosts: [entry] }),
      ),
      ...['none', 'host'].map((NetworkMode) =>
        sees(HOSTS, { NetworkMode, ExtraHosts: ['a:1.1.1.1', 'b:::1', 'c:host-gateway'] }),
      ),
      sees('grep -c host-gateway /etc/hosts', { ExtraHosts: ['c:host-gateway'] }),
    ],
  },
  {
    name: 'name servers are addresses',
    tries: [
      ...['x', ''].map((address) => host({ Dns: [address] }, { start: true })),
      sees(RESOLV, { Dns: ['1.1.1.1', '::1', 'fe80::1%eth0'], DnsSearch: ['a', 'b'], DnsOptions: ['ndots:3'] }),
      sees(RESOLV, { Dns: ['1.1.1.1'], DnsSearch: ['.'], NetworkMode: 'host' }),
    ],
  },
];
