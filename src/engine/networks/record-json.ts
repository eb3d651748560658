// Owns the forms of a network's and an endpoint's stored JSON. No behaviour.

import * as v from 'valibot';
import { type StoredJson, storedJson } from '../../store/stored-json.ts';
import type { NetworkRecord } from './types.ts';

const texts = v.record(v.string(), v.string());

/** An endpoint as containers store it. */
export const endpointSchema = v.object({
  endpointId: v.string(),
  networkId: v.string(),
  networkName: v.string(),
  ipAddress: v.string(),
  prefixLength: v.number(),
  gateway: v.string(),
  macAddress: v.string(),
  ports: v.array(
    v.object({
      containerPort: v.number(),
      protocol: v.picklist(['tcp', 'udp', 'sctp']),
      hostIp: v.string(),
      hostPort: v.number(),
    }),
  ),
});

export const NETWORK_JSON: StoredJson<NetworkRecord> = storedJson(
  'network',
  v.object({
    id: v.string(),
    name: v.string(),
    driver: v.picklist(['bridge', 'host', 'null']),
    created: v.string(),
    internal: v.boolean(),
    enableIPv6: v.boolean(),
    labels: texts,
    options: texts,
    ipam: v.array(v.object({ subnet: v.string(), gateway: v.optional(v.string()) })),
    bridgeName: v.string(),
  }),
);
