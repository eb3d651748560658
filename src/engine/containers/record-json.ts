// Owns the forms of a container's stored JSON: its specification, its state, its endpoints. No behaviour.

import * as v from 'valibot';
import { parseAnyDigest } from '../../spec/digest.ts';
import type { ContainerConfig, EndpointIPAMConfig, HostConfig } from '../../spec/docker/types.gen.ts';
import { type StoredJson, storedJson } from '../../store/stored-json.ts';
import { endpointSchema } from '../networks/index.ts';
import type { ContainerRecord, ContainerState } from './types.ts';

const strings = v.array(v.string());
const labels = v.record(v.string(), v.string());
/** Docker's own bodies, checked when they came (ADR 0002): here that they are objects at all. */
const body = <T extends object>() => v.custom<T>((value) => typeof value === 'object' && value !== null, 'no object');

const mount = v.object({
  type: v.picklist(['bind', 'volume', 'tmpfs']),
  name: v.optional(v.string()),
  source: v.string(),
  destination: v.string(),
  driver: v.optional(v.string()),
  mode: v.string(),
  writable: v.boolean(),
  propagation: v.string(),
  copyUp: v.optional(v.boolean()),
  anonymous: v.optional(v.boolean()),
  options: v.optional(strings),
  subpath: v.optional(v.string()),
  createSource: v.optional(v.boolean()),
});

const network = v.object({
  aliases: strings,
  ipam: v.optional(body<EndpointIPAMConfig>()),
  links: v.optional(strings),
  macAddress: v.optional(v.string()),
  driverOptions: v.optional(labels),
  gatewayPriority: v.optional(v.number()),
});

const state = v.object({
  phase: v.picklist(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']),
  pid: v.number(),
  exitCode: v.number(),
  error: v.string(),
  oomKilled: v.boolean(),
  startedAt: v.string(),
  finishedAt: v.string(),
  restartCount: v.number(),
  stoppedByHand: v.boolean(),
});

const spec = v.object({
  created: v.string(),
  imageId: v.custom<ContainerRecord['imageId']>(
    (value) => typeof value === 'string' && parseAnyDigest(value) !== undefined,
    'no digest',
  ),
  imageName: v.string(),
  platform: v.object({ os: v.string(), architecture: v.string(), variant: v.optional(v.string()) }),
  config: body<ContainerConfig>(),
  hostConfig: body<HostConfig>(),
  networks: v.record(v.string(), network),
  mounts: v.array(mount),
  command: strings,
  runtime: v.string(),
  logDriver: v.string(),
  logOptions: labels,
});

/** The record without the parts that have columns of their own. */
export type ContainerSpec = Omit<ContainerRecord, 'id' | 'name' | 'state' | 'endpoints'>;

export const SPEC_JSON: StoredJson<ContainerSpec> = storedJson('container', spec);
export const STATE_JSON: StoredJson<ContainerState> = storedJson('the state of container', state);
export const ENDPOINTS_JSON: StoredJson<ContainerRecord['endpoints']> = storedJson(
  'the endpoints of container',
  v.array(endpointSchema),
);
