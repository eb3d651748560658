// Owns the list of all create bodies by area.

import type { BodyCase } from '../types.ts';
import { EXECS } from './execs.ts';
import { IDENTITY } from './identity.ts';
import { LIMITS } from './limits.ts';
import { LOGS } from './logs.ts';
import { MODES } from './modes.ts';
import { MOUNTS } from './mounts.ts';
import { NETWORKS } from './networks.ts';
import { SECURITY } from './security.ts';
import { VOLUMES } from './volumes.ts';

export const BODY_AREAS: Readonly<Record<string, readonly BodyCase[]>> = {
  execs: EXECS,
  identity: IDENTITY,
  limits: LIMITS,
  logs: LOGS,
  modes: MODES,
  mounts: MOUNTS,
  networks: NETWORKS,
  security: SECURITY,
  volumes: VOLUMES,
};
