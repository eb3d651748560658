// Owns the checks that run and create make while reading their flags, in Docker's words.
import { isIP } from 'node:net';
import { isDomain } from '../../lib/domain.ts';
import { parseUlimit } from '../../spec/docker/decode-ulimit.ts';
import type { FlagChecks } from '../grammar/flags.ts';
import { goQuote } from '../grammar/go-text.ts';
import { parseGpuRequest, parseThrottle, parseWeightDevice } from './devices.ts';
import { checkEnv, checkLabel } from './environment.ts';
import { parseMount } from './mounts.ts';
import { parseNetwork } from './networks.ts';

const SYSCTL_NAMES = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** By flag name. @source docker 28.2.2 */
export const CONTAINER_CHECKS: FlagChecks = {
  'add-host': (text) => {
    readExtraHost(text);
  },
  attach: (text) => {
    if (!/^(stdin|stdout|stderr)$/i.test(text)) throw new Error('valid streams are STDIN, STDOUT and STDERR');
  },
  'blkio-weight-device': parseWeightDevice,
  'device-cgroup-rule': (text) => {
    if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) {
      throw new Error(`invalid device cgroup format '${text}'`);
    }
  },
  'device-read-bps': (text) => parseThrottle(text, 'bytes'),
  'device-read-iops': (text) => parseThrottle(text, 'operations'),
  'device-write-bps': (text) => parseThrottle(text, 'bytes'),
  'device-write-iops': (text) => parseThrottle(text, 'operations'),
  dns: checkIp,
  'dns-search': (text) => {
    const domain = text.trim();
    if (!isDomain(domain)) throw new Error(`${domain} is not a valid domain`);
  },
  env: checkEnv,
  gpus: parseGpuRequest,
  label: checkLabel,
  link: (text) => {
    if (text === '') throw new Error('empty string specified for links');
    if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`);
  },
  mount: (text) => parseMount(text, '/'),
  net: parseNetwork,
  network: parseNetwork,
  sysctl: (text) => {
    const name = text.split('=')[0] ?? '';
    const known = SYSCTL_NAMES.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.');
    if (!text.includes('=') || !known) throw new Error(`sysctl '${text}' is not allowed`);
  },
  ulimit: parseUlimit,
};

function checkIp(text: string): void {
  if (isIP(text.trim()) === 0) throw new Error(`IP address is not correctly formatted: ${text.trim()}`);
}

/** `host:ip` (or `host=ip`) as the API takes it. @throws Error in Docker's words */
export function readExtraHost(text: string): string {
  const separator = text.includes('=') ? '=' : ':';
  const at = text.indexOf(separator);
  const host = text.slice(0, Math.max(at, 0));
  const address = text.slice(at + 1);
  if (at === -1 || host === '') throw new Error(`bad format for add-host: ${goQuote(text)}`);
  const bare = /^\[.+\]$/.test(address) ? address.slice(1, -1) : address;
  if (bare !== 'host-gateway' && isIP(bare) === 0) {
    throw new Error(`invalid IP address in add-host: ${goQuote(bare)}`);
  }
  return `${host}:${bare}`;
}
