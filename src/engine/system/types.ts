// Owns the shapes of host and engine facts for `info`, `version` and `system df`. No behaviour.

import type { SystemInfo, SystemVersion } from '../../spec/docker/types.gen.ts';

export interface System {
  info(): Promise<SystemInfo>;
  version(): Promise<SystemVersion>;
}
