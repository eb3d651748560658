// Owns listening on the configured addresses: their sockets' group, their TLS.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ApiServer, ListenSpec } from '../api/index.ts';
import { GantryError, messageOf } from '../lib/errors.ts';
import type { DaemonConfig } from './config.ts';
import { bindAddress } from './hosts.ts';

/** Whose group may use the socket when nobody says; root's alone where there is none of that name. @source dockerd 28.5 */
const DEFAULT_GROUP = 'docker';

/** Opens every address of the configuration. @throws LISTEN, GROUP_NOT_FOUND */
export async function listenAll(
  api: ApiServer,
  { hosts, group, tls }: DaemonConfig,
  tell: (line: string) => void,
): Promise<void> {
  const names = hosts.map(bindAddress).flatMap((address) => (address.kind === 'tcp' ? [address.host] : []));
  for (const host of hosts) {
    const spec = specOf(host, group, tls, names);
    try {
      tell(`API listens on ${await api.listen(spec)}`);
    } catch (error) {
      throw new GantryError('conflict', 'LISTEN', `cannot listen on ${host}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function specOf(host: string, group: string, tls: DaemonConfig['tls'], names: readonly string[]): ListenSpec {
  const address = bindAddress(host);
  if (address.kind === 'tcp') return { ...address, host: address.host, ...(tls && { tls }), names };
  if (address.kind === 'fd') throw new Error(`${host} is no address`);
  const groupId = groupIdOf(group);
  return { kind: 'unix', path: resolve(address.path), ...(groupId !== undefined && { groupId }) };
}

/** The group's id, by name or number. */
function groupIdOf(group: string): number | undefined {
  if (/^\d+$/.test(group)) return Number(group);
  const name = group || DEFAULT_GROUP;
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name}:`));
  if (line !== undefined) return Number(line.split(':')[2]);
  if (group === '') return undefined;
  throw new GantryError('invalid', 'GROUP_NOT_FOUND', `group ${group} not found`);
}
