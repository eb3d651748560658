// Owns the rows of networks: endpoints in create bodies. Bodies of networks themselves have no endpoint yet.

import type { EndpointIPAMConfig, EndpointSettings, NetworkingConfig } from '../../../src/spec/docker/types.gen.ts';
import { type Absent, body, file, honoured, ignored, type Rows, refused } from './types.ts';

const CHECKED = body('networks', 'addresses, aliases and MAC addresses of endpoints are checked');
const KEPT = body('networks', 'endpoint settings that change nothing are kept');
const ENGINES = body('networks', 'what an engine says of an endpoint is not for clients to say');
const NOT_YET = file(
  'src/engine/containers/plan/refusals.test.ts',
  'what Docker grants and this engine does not yet have is said, never dropped',
);
const USER_NETWORKS = 'user specified IP address is supported on user defined networks only';
const SAID = ignored('the engine fills it in', ENGINES);

export const NETWORKING: Rows<NetworkingConfig> = {
  EndpointsConfig: honoured(CHECKED, body('networks', 'a network that is not there is not dropped')),
};

export const ENDPOINT: Rows<EndpointSettings> = {
  IPAMConfig: honoured(CHECKED),
  Links: ignored('kept and shown; networks without name resolution have no links of their own', KEPT),
  MacAddress: honoured(body('networks', 'a MAC address is given, in each of its spellings')),
  Aliases: refused('network-scoped alias is supported only for containers in user defined networks', CHECKED),
  DriverOpts: refused('the endpoint option com.docker.network.endpoint.sysctls', NOT_YET),
  GwPriority: ignored('kept and shown; with one network there is one gateway', KEPT),
  NetworkID: SAID,
  EndpointID: SAID,
  Gateway: SAID,
  IPAddress: SAID,
  IPPrefixLen: SAID,
  IPv6Gateway: SAID,
  GlobalIPv6Address: SAID,
  GlobalIPv6PrefixLen: SAID,
  DNSNames: SAID,
};

export const ENDPOINT_IPAM: Rows<EndpointIPAMConfig> = {
  IPv4Address: refused(USER_NETWORKS, CHECKED),
  IPv6Address: refused(USER_NETWORKS, CHECKED),
  LinkLocalIPs: refused('link-local addresses (on network bridge)', NOT_YET),
};

/** To be replaced by rows when the endpoints come. */
export const NETWORK_CREATE: Absent = { endpoint: 'POST /networks/create' };
export const NETWORK_CONNECT: Absent = { endpoint: 'POST /networks/bridge/connect' };
export const NETWORK_DISCONNECT: Absent = { endpoint: 'POST /networks/bridge/disconnect' };
