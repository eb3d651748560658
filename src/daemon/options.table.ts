// Owns the daemon's options as a table: flag, short form, name in daemon.json, kind, default, help. No behaviour.

import type { DaemonConfig } from './config.ts';

/** What an option's value is. */
export type Kind = 'string' | 'list' | 'bool' | 'number' | 'pool' | 'runtime' | 'map';

export interface Option {
  readonly flag: string;
  readonly short?: string;
  /** Its name in daemon.json, where it has one. */
  readonly key?: string;
  readonly kind: Kind;
  readonly field?: keyof DaemonConfig;
  readonly fallback: unknown;
  readonly help: string;
}

const RUN = '/run/gantry';

/** Flag names are dockerd's. */
export const OPTIONS: readonly Option[] = [
  {
    flag: 'add-runtime',
    key: 'runtimes',
    kind: 'runtime',
    field: 'runtimes',
    fallback: {},
    help: 'Register an OCI runtime (name=path)',
  },
  { flag: 'bip', key: 'bip', kind: 'string', field: 'bip', fallback: '', help: 'Address of the default bridge (CIDR)' },
  {
    flag: 'bridge',
    short: 'b',
    key: 'bridge',
    kind: 'string',
    field: 'bridge',
    fallback: 'gantry0',
    help: 'Name of the default bridge; none disables it',
  },
  { flag: 'config-file', kind: 'string', fallback: '/etc/gantry/daemon.json', help: 'Configuration file' },
  {
    flag: 'data-root',
    key: 'data-root',
    kind: 'string',
    field: 'dataRoot',
    fallback: '/var/lib/gantry',
    help: 'Folder of images, containers and volumes',
  },
  { flag: 'debug', short: 'D', key: 'debug', kind: 'bool', fallback: false, help: 'Same as --log-level debug' },
  {
    flag: 'default-address-pool',
    key: 'default-address-pools',
    kind: 'pool',
    field: 'addressPools',
    fallback: [],
    help: 'Address pool for networks (base=CIDR,size=N)',
  },
  {
    flag: 'default-runtime',
    key: 'default-runtime',
    kind: 'string',
    field: 'defaultRuntime',
    fallback: '',
    help: 'OCI runtime for containers; empty = the fastest that works here',
  },
  {
    flag: 'exec-root',
    key: 'exec-root',
    kind: 'string',
    field: 'execRoot',
    fallback: RUN,
    help: 'Folder of running state',
  },
  {
    flag: 'group',
    short: 'G',
    key: 'group',
    kind: 'string',
    field: 'group',
    fallback: 'docker',
    help: 'Group of the unix socket',
  },
  { flag: 'help', short: 'h', kind: 'bool', fallback: false, help: 'Print usage' },
  {
    flag: 'host',
    short: 'H',
    key: 'hosts',
    kind: 'list',
    field: 'hosts',
    fallback: [],
    help: 'Socket to listen on (unix:// or tcp://)',
  },
  {
    flag: 'insecure-registry',
    key: 'insecure-registries',
    kind: 'list',
    field: 'insecureRegistries',
    fallback: [],
    help: 'Registry that may speak plain HTTP (host or CIDR)',
  },
  { flag: 'label', key: 'labels', kind: 'list', field: 'labels', fallback: [], help: 'Key=value label of the daemon' },
  {
    flag: 'live-restore',
    key: 'live-restore',
    kind: 'bool',
    fallback: true,
    help: 'Containers outlive the daemon (always so)',
  },
  {
    flag: 'log-driver',
    key: 'log-driver',
    kind: 'string',
    field: 'logDriver',
    fallback: 'json-file',
    help: 'Default log driver of containers',
  },
  {
    flag: 'log-level',
    short: 'l',
    key: 'log-level',
    kind: 'string',
    field: 'logLevel',
    fallback: 'info',
    help: 'debug, info, warn, error or fatal',
  },
  {
    flag: 'log-opt',
    key: 'log-opts',
    kind: 'map',
    field: 'logOpts',
    fallback: {},
    help: 'Default log driver option (name=value)',
  },
  {
    flag: 'max-concurrent-downloads',
    key: 'max-concurrent-downloads',
    kind: 'number',
    field: 'maxConcurrentDownloads',
    fallback: 3,
    help: 'Layers fetched at once in one pull',
  },
  {
    flag: 'pidfile',
    short: 'p',
    key: 'pidfile',
    kind: 'string',
    field: 'pidfile',
    fallback: '',
    help: "File that holds the daemon's pid",
  },
  {
    flag: 'recover',
    kind: 'bool',
    field: 'recover',
    fallback: false,
    help: 'Put lost or damaged records together again, then start',
  },
  {
    flag: 'registry-mirror',
    key: 'registry-mirrors',
    kind: 'list',
    field: 'registryMirrors',
    fallback: [],
    help: 'Mirror asked before the registry',
  },
  {
    flag: 'userland-proxy',
    key: 'userland-proxy',
    kind: 'bool',
    field: 'userlandProxy',
    fallback: true,
    help: 'Forward published ports that the kernel cannot',
  },
  { flag: 'validate', kind: 'bool', fallback: false, help: 'Check the configuration and exit' },
  { flag: 'version', short: 'v', kind: 'bool', fallback: false, help: 'Print version and exit' },
];
