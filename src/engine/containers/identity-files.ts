// Owns writing a container's hosts, hostname and resolv.conf, or sharing those of the container whose network it joins.

import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Endpoint, hostnameFile, hostsFile, resolvConf } from '../networks/index.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './types.ts';

/** The files are bound into the container: they are written in place, never replaced. */
const MODE = 0o644;

/** Writes the three files for the container's networks as they are now. */
export async function writeIdentityFiles(
  context: Context,
  record: ContainerRecord,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const paths = context.paths(record.id);
  const mode = record.hostConfig.NetworkMode ?? '';
  if (mode.startsWith('container:')) return shareFiles(context, record, mode.slice('container:'.length));
  const name = record.config.Hostname || hostname();
  const onHost = mode === 'host';
  const hostResolvConf = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const hosts = onHost ? await readFile('/etc/hosts', 'utf8').catch(() => '') : '';
  const { Dns, DnsSearch, DnsOptions, ExtraHosts } = record.hostConfig;
  await Promise.all([
    writeFile(paths.hostname, hostnameFile(name), { mode: MODE }),
    writeFile(
      paths.hosts,
      hosts ||
        hostsFile({
          hostname: name,
          domainname: record.config.Domainname ?? '',
          extraHosts: ExtraHosts ?? [],
          endpoints,
        }),
      { mode: MODE },
    ),
    writeFile(
      paths.resolvConf,
      resolvConf({ host: hostResolvConf, servers: Dns ?? [], search: DnsSearch ?? [], options: DnsOptions ?? [] }),
      { mode: MODE },
    ),
  ]);
}

async function shareFiles(context: Context, record: ContainerRecord, ref: string): Promise<void> {
  const theirs = context.paths(context.records.find(ref).id);
  const own = context.paths(record.id);
  for (const file of ['hosts', 'hostname', 'resolvConf'] as const) {
    await writeFile(own[file], await readFile(theirs[file], 'utf8').catch(() => ''), { mode: MODE });
  }
}
