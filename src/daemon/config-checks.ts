// Owns what a merged configuration may hold, in dockerd's words. Looks at no host.

import { isIPv4 } from 'node:net';
import { API_VERSION, MIN_API_VERSION } from '../api/index.ts';
import { isDomain } from '../lib/domain.ts';
import { joinedContainer } from '../spec/docker/join-mode.ts';
import type { DaemonConfig } from './config.ts';
import { bindAddress } from './hosts.ts';
import { checkLabel, checkMirror, checkRegistry } from './option-checks.ts';
import type { Option } from './options.table.ts';

/** @throws Error @source dockerd 28.5; the recorded answers in golden/dockerd.json */
export function checkConfig(config: Omit<DaemonConfig, 'tls'>, values: ReadonlyMap<Option, unknown>): void {
  const given = (name: string): unknown => [...values].find(([option]) => option.flag === name)?.[1];
  if (!['debug', 'info', 'warn', 'error', 'fatal'].includes(config.logLevel)) {
    throw new Error(`invalid logging level: ${config.logLevel}`);
  }
  if (!['text', 'json'].includes(config.logFormat)) throw new Error(`invalid log format: ${config.logFormat}`);
  for (const label of config.labels) checkLabel(label);
  for (const mirror of config.registryMirrors) checkMirror(mirror);
  for (const registry of config.insecureRegistries) checkRegistry(registry);
  for (const domain of config.dnsSearch)
    if (!isDomain(domain.trim())) throw new Error(`${domain} is not a valid domain`);
  for (const host of config.hosts) checkHost(host);
  checkGateways(config.hostGatewayIps);
  checkNumbers(config);
  checkModes(config);
  checkNetworks(config);
  checkRuntimes(config);
  for (const option of (given('exec-opt') as readonly string[] | undefined) ?? []) checkExecOption(option);
  for (const option of (given('storage-opt') as readonly string[] | undefined) ?? []) {
    if (!option.includes('=')) throw new Error(`unable to parse storage-opt key/value: ${option}`);
  }
  checkStorageDriver(given('storage-driver'));
  checkMinApiVersion(config.minApiVersion, given('min-api-version') ? 'min-api-version' : 'DOCKER_MIN_API_VERSION');
  checkDefaultRuntime(config);
  if (given('api-cors-header')) throw new Error(NO_CORS_HEADER);
}

const NO_CORS_HEADER =
  'DEPRECATED: The "api-cors-header" config parameter and the dockerd "--api-cors-header" option have been removed; use a reverse proxy if you need CORS headers';

/** @throws Error when two labels give one name different values */
export function checkConflictingLabels(labels: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const label of labels) {
    const key = label.split('=', 1)[0] ?? '';
    const other = seen.get(key);
    if (other !== undefined && other !== label) throw new Error(`conflict labels for ${label} and ${other}`);
    seen.set(key, label);
  }
}

function checkHost(host: string): void {
  if (bindAddress(host).kind !== 'fd') return;
  throw new Error(
    `${host}: sockets of systemd are not supported yet; name an address of your own, such as unix:///run/docker.sock`,
  );
}

function checkGateways(ips: readonly string[]): void {
  const v4 = ips.filter((ip) => isIPv4(ip)).length;
  if (v4 > 1) throw new Error('only one IPv4 host gateway IP address can be specified');
  if (ips.length - v4 > 1) throw new Error('only one IPv6 host gateway IP address can be specified');
}

function checkNumbers(config: Omit<DaemonConfig, 'tls'>): void {
  for (const [name, value] of [
    ['default MTU', config.mtu],
    ['max concurrent downloads', config.maxConcurrentDownloads],
    ['max concurrent uploads', config.maxConcurrentUploads],
    ['max download attempts', config.maxDownloadAttempts],
  ] as const) {
    if (Number(value) < 0) throw new Error(`invalid ${name}: ${value}`);
  }
}

function checkModes({ ipcMode, cgroupnsMode }: Omit<DaemonConfig, 'tls'>): void {
  if (!['', 'shareable', 'private'].includes(ipcMode)) {
    const known = ipcMode === 'host' || ipcMode === 'none' || joinedContainer(ipcMode) !== undefined;
    throw new Error(
      known
        ? `IPC mode "${ipcMode}" is not supported as default value; use "shareable" or "private"`
        : `default IPC mode setting (${ipcMode}) is invalid; use "shareable" or "private"`,
    );
  }
  if (!['', 'host', 'private'].includes(cgroupnsMode)) {
    throw new Error(`invalid default cgroup namespace (${cgroupnsMode}): use "host" or "private"`);
  }
}

function checkNetworks({ bip, iptables, icc, addressPools }: Omit<DaemonConfig, 'tls'>): void {
  const [address = '', bits = '', ...more] = bip.split('/');
  if (bip !== '' && !(isIPv4(address) && /^\d+$/.test(bits) && Number(bits) <= 32 && more.length === 0)) {
    throw new Error(`parse bip failed: invalid CIDR address: ${bip}`);
  }
  if (!iptables && !icc) {
    throw new Error(
      'You specified --iptables=false with --icc=false. ICC=false uses iptables to function. Please set --icc or --iptables to true',
    );
  }
  for (const [index, { base, size }] of addressPools.entries()) {
    const [, prefix] = base.split('/');
    const shown = `network at index ${index} (&{${base || 'invalid Prefix'} ${size}})`;
    if (prefix === undefined || !size) throw new Error(`${shown} is not in canonical form`);
    if (Number(prefix) > size) {
      throw new Error(`${shown} has a smaller prefix (/${prefix}) than the target size of that pool (/${size})`);
    }
  }
}

function checkRuntimes({ runtimes }: Omit<DaemonConfig, 'tls'>): void {
  for (const [name, runtime] of Object.entries(runtimes)) {
    const { path, type, options, args } = runtime;
    if (name === 'runc') throw new Error(`runtime name 'runc' is reserved`);
    const fail = (why: string) => new Error(`runtime ${name}: ${why}`);
    if (!path && type === undefined) throw fail('either a runtimeType or a path must be configured');
    if (path && type !== undefined) throw fail('cannot configure both path and runtimeType for the same runtime');
    if (type !== undefined && args.length > 0) throw fail('args cannot be used with a runtimeType runtime');
    if (path && options !== undefined) throw fail('options cannot be used with a path runtime');
    if (type !== undefined) throw fail('a runtimeType needs containerd, which this engine works without; give a path');
  }
}

/** What the engine finds by itself. */
const BUILT_IN_RUNTIMES = ['', 'crun', 'runc'];

function checkDefaultRuntime({ defaultRuntime, runtimes }: Omit<DaemonConfig, 'tls'>): void {
  if (BUILT_IN_RUNTIMES.includes(defaultRuntime) || Object.hasOwn(runtimes, defaultRuntime)) return;
  throw new Error(`specified default runtime '${defaultRuntime}' does not exist`);
}

function checkMinApiVersion(text: string, source: string): void {
  if (text === '') return;
  const fail = (why: string) => new Error(`invalid ${source}: ${why}: ${text}`);
  const [, minor] = /^1\.(\d+)$/.exec(text) ?? [];
  const least = Number(MIN_API_VERSION.split('.')[1]);
  const most = Number(API_VERSION.split('.')[1]);
  if (!(Number(minor) >= least)) throw fail(`minimum supported API version is ${MIN_API_VERSION}`);
  if (Number(minor) > most) throw fail(`maximum supported API version is ${API_VERSION}`);
}

function checkExecOption(text: string): void {
  const [name, value] = text.split(/=(.*)/s);
  if (value === undefined) throw new Error(`invalid exec-opt (${text}): must be formatted 'opt=value'`);
  if (name?.toLowerCase().trim() !== 'native.cgroupdriver') {
    throw new Error(`invalid exec-opt (${text}): unknown option: '${name}'`);
  }
  if (value !== 'cgroupfs' && value !== 'systemd') throw new Error(`native.cgroupdriver option ${value} not supported`);
}

/** Those of dockerd; all but one are as good as overlay2 to whom only wants his containers to run. */
const STORAGE_DRIVERS = ['', 'overlay2', 'overlayfs', 'fuse-overlayfs', 'btrfs', 'zfs', 'vfs', 'native', 'stargz'];

function checkStorageDriver(name: unknown): void {
  if (name !== undefined && !STORAGE_DRIVERS.includes(String(name))) {
    throw new Error(`error initializing graphdriver: driver not supported: ${name}`);
  }
}
