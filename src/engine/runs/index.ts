// Owns turning container and exec records into shims: run directories, shim specifications, OCI bundles, adoption, sweeping.

import type { Cgroups } from '../../host/cgroup/index.ts';
import type { RuntimeDriver, SeccompCache } from '../../runtime/drivers/index.ts';
import type { Spawner } from '../../runtime/link/index.ts';
import type { Launcher } from '../containers/index.ts';
import type { ContainerPaths } from '../containers/types.ts';
import type { ExecLauncher } from '../exec/index.ts';
import type { Rootfs } from '../rootfs/index.ts';
import type { EngineHost } from './bundle-input.ts';
import { createContainerLauncher } from './container.ts';
import { createExecLauncher } from './exec.ts';

export type { EngineHost } from './bundle-input.ts';
export { gatherHost } from './facts.ts';
export { createSandboxes, type Sandboxes } from './sandbox.ts';

export interface RunsDeps {
  readonly spawner: Spawner;
  /** OCI runtimes by name. */
  readonly drivers: ReadonlyMap<string, RuntimeDriver>;
  readonly host: EngineHost;
  readonly seccomp: SeccompCache;
  readonly cgroups: Cgroups;
  /** Descriptor, in every shim, of the sealed shim program. */
  readonly sessionProgram: number;
  /** Holds one run directory a shim; on a memory file system where there is one. */
  readonly shimsDir: string;
  readonly rootfs: Pick<Rootfs, 'steps'>;
  readonly paths: (containerId: string) => ContainerPaths;
}

export function createRuns(deps: RunsDeps): { readonly containers: Launcher; readonly execs: ExecLauncher } {
  return { containers: createContainerLauncher(deps), execs: createExecLauncher(deps) };
}
