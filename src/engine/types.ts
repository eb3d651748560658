// Owns the face of the whole engine: the capabilities that the API, the CLI's library users and tests call. No behaviour.

import type { Containers } from './containers/types.ts';
import type { Events } from './events/types.ts';
import type { Execs } from './exec/types.ts';
import type { ContainerFiles } from './files/types.ts';
import type { Images } from './images/types.ts';
import type { Networks } from './networks/types.ts';
import type { System } from './system/types.ts';
import type { Volumes } from './volumes/types.ts';

export interface Engine {
  readonly containers: Containers;
  readonly execs: Execs;
  readonly files: ContainerFiles;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly events: Events;
  readonly system: System;
}
