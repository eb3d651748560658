// Owns writing a container's hosts, hostname and resolv.conf, or sharing those of the container whose network it joins.

import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import { type Endpoint, hostnameFile, hostsFile, readHostResolvConf, resolvConf } from '../networks/index.ts';
import type { Context } from './context.ts';
import { ownOr, withHostGateways } from './defaults.ts';
import { failure } from './errors.ts';
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
  const joined = joinedContainer(mode);
  if (joined !== undefined) return shareFiles(context, record, joined);
  const onHost = mode === 'host';
  // The host's own file, but for a container that adds to it. @source dockerd 28.5
  const ofHost = onHost && (record.hostConfig.ExtraHosts ?? []).length === 0;
  await Promise.all([
    writeFile(paths.hostname, hostnameFile(record.config.Hostname || hostname()), { mode: MODE }),
    writeFile(paths.hosts, ofHost ? await hostsOfHost() : ownHosts(context, record, endpoints), { mode: MODE }),
    writeFile(paths.resolvConf, ownResolvConf(context, record, onHost), { mode: MODE }),
  ]);
}

async function hostsOfHost(): Promise<string> {
  return readFile('/etc/hosts', 'utf8').catch(() => '');
}

function ownHosts(context: Context, { config, hostConfig }: ContainerRecord, endpoints: readonly Endpoint[]): string {
  const gateway = hostGateway(context, endpoints);
  const extraHosts = withHostGateways(hostConfig.ExtraHosts ?? [], context.defaults());
  if (gateway === '' && extraHosts.some((entry) => entry.endsWith(':host-gateway')))
    throw failure('HOST_GATEWAY', 'unable to derive the IP value for host-gateway');
  return hostsFile({
    hostname: config.Hostname ?? '',
    domainname: config.Domainname ?? '',
    extraHosts,
    hostGateway: gateway,
    addresses: endpoints.map(({ ipAddress }) => ipAddress).filter((address) => address !== ''),
  });
}

/** The default bridge's address, also for containers that are not on it. @source dockerd 28.5 */
function hostGateway({ networks }: Context, endpoints: readonly Endpoint[]): string {
  const bridge = networks.list().find(({ name }) => name === 'bridge');
  return bridge?.ipam[0]?.gateway || (endpoints.find(({ gateway }) => gateway !== '')?.gateway ?? '');
}

function ownResolvConf({ defaults }: Context, { hostConfig }: ContainerRecord, onHost: boolean): string {
  return resolvConf({
    host: readHostResolvConf(onHost),
    hostNetwork: onHost,
    dns: ownOr(hostConfig.Dns, defaults().dns),
    search: ownOr(hostConfig.DnsSearch, defaults().dnsSearch),
    options: ownOr(hostConfig.DnsOptions, defaults().dnsOptions),
  });
}

async function shareFiles(context: Context, record: ContainerRecord, ref: string): Promise<void> {
  const theirs = context.paths(context.records.find(ref).id);
  const own = context.paths(record.id);
  for (const file of ['hosts', 'hostname', 'resolvConf'] as const) {
    await writeFile(own[file], await readFile(theirs[file], 'utf8').catch(() => ''), { mode: MODE });
  }
}
