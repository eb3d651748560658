// Owns the checks of what goes into a container's hosts, hostname and resolv.conf: no value may add a line of its own. Pure.

import { isIP } from 'node:net';
import { goQuote } from '../../../lib/go-quote.ts';
import type { ContainerConfig, HostConfig } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

/**
 * @throws GantryError invalid, in Docker's words where it has some: it writes host names, search domains and options as they
 * come, line ends too.
 * @source dockerd 28.5
 */
export function checkIdentity({ Hostname, Domainname }: ContainerConfig, hostConfig: HostConfig): void {
  noControl('hostname', Hostname);
  noControl('domain name', Domainname);
  for (const address of hostConfig.Dns ?? []) checkNameserver(address);
  for (const domain of hostConfig.DnsSearch ?? []) noControl('DNS search domain', domain);
  for (const option of hostConfig.DnsOptions ?? []) noControl('DNS option', option);
  for (const entry of hostConfig.ExtraHosts ?? []) checkExtraHost(entry);
}

function noControl(what: string, text = ''): void {
  if (!CONTROL.test(text)) return;
  throw invalid('CONTROL_CHARACTER', `invalid ${what}: ${goQuote(text)} contains a control character`);
}

function checkNameserver(address: string): void {
  if (isIP(address) !== 0) return;
  const why = `ParseAddr(${goQuote(address)}): unable to parse IP`;
  throw invalid('NAMESERVER', `bad nameserver address ${address}: ${why}`);
}

/** `name:address` or `name:host-gateway`. */
function checkExtraHost(entry: string): void {
  const colon = entry.indexOf(':');
  const [name, address] = [entry.slice(0, colon), entry.slice(colon + 1)];
  if (colon < 1 || CONTROL.test(name)) throw invalid('EXTRA_HOST', `bad format for add-host: ${goQuote(entry)}`);
  if (address !== 'host-gateway' && isIP(address) === 0)
    throw invalid('EXTRA_HOST', `invalid IP address in add-host: ${goQuote(address)}`);
}
