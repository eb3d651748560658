// Owns the reading of PortBindings and -P into requests for the network capability. Pure.

import { isIP } from 'node:net';
import type { ContainerConfig, HostConfig } from '../../../spec/docker/types.gen.ts';
import type { PortProtocol, PortRequest } from '../../networks/types.ts';
import { invalid } from '../errors.ts';

/** A container port `80/tcp`. @throws INVALID_PORT */
function parseContainerPort(text: string): { readonly port: number; readonly protocol: PortProtocol } {
  const [number = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const port = Number(number);
  if (!/^\d+$/.test(number) || port > 65535) throw invalid('INVALID_PORT', `invalid port specification: "${number}"`);
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw invalid('INVALID_PORT', `invalid port specification: "${text}"`);
  }
  return { port, protocol };
}

/**
 * Every port to publish; with PublishAllPorts also the exposed ones that have no binding of their own.
 * @throws INVALID_PORT, INVALID_HOST_IP
 */
export function portRequests(config: ContainerConfig, hostConfig: HostConfig): readonly PortRequest[] {
  const requests: PortRequest[] = [];
  const bindings = hostConfig.PortBindings ?? {};
  for (const [key, list] of Object.entries(bindings)) {
    const { port, protocol } = parseContainerPort(key);
    for (const binding of list ?? []) {
      const hostPorts = hostRange(binding.HostPort ?? '');
      const request = { containerPort: port, protocol, hostIp: hostAddress(binding.HostIp ?? '') };
      requests.push(hostPorts ? { ...request, hostPorts } : request);
    }
  }
  if (hostConfig.PublishAllPorts) {
    for (const key of Object.keys(config.ExposedPorts ?? {})) {
      if ((bindings[key] ?? []).length > 0) continue;
      const { port, protocol } = parseContainerPort(key);
      requests.push({ containerPort: port, protocol, hostIp: '' });
    }
  }
  return requests.sort((a, b) => a.containerPort - b.containerPort);
}

/** Docker takes what is no address for all addresses, and opens the port to everybody. */
function hostAddress(text: string): string {
  if (text !== '' && isIP(text) === 0) throw invalid('INVALID_HOST_IP', `invalid IP address: ${text}`);
  return text;
}

function hostRange(text: string): PortRequest['hostPorts'] {
  if (text === '' || text === '0') return undefined;
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last > 65535 || first > last) throw invalid('INVALID_PORT', `invalid port specification: "${text}"`);
  return { first, last };
}
