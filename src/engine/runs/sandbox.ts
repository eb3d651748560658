// Owns sandboxes: namespaces that outlive any process in them, held by a shim. A container's start makes its own by the same steps.

import { randomId } from '../../lib/ids.ts';
import type { Spawner, Step } from '../../runtime/link/index.ts';
import { whatShimLeft } from './failure.ts';
import { joinReady, makeRunDir, removeRunDir, runDirOf } from './run-dir.ts';

/** Which namespaces are new; the others are the engine's own. */
export interface SandboxRequest {
  readonly network: boolean;
  readonly ipc: boolean;
  readonly uts: boolean;
  /** What is done inside, in order, e.g. kernel settings of the network. */
  readonly steps?: readonly Step[] | undefined;
}

/** Disposing lets go of the namespaces; processes that joined keep them. */
interface Sandbox extends AsyncDisposable {
  /** Of the process that holds them: what joins finds them in `/proc/<pid>/ns`. */
  readonly pid: number;
  /** Absolute path of a namespace, for setns(2) and for OCI configurations. */
  namespace(kind: 'net' | 'ipc' | 'uts' | 'mnt'): string;
}

export interface Sandboxes {
  /** @throws SHIM_FAILED with the step that failed */
  open(request: SandboxRequest): Promise<Sandbox>;
}

/** A holder only waits. */
const END_MS = 5000;
const HOLDER_OOM_SCORE = -999;

/** The steps by which a shim enters new namespaces. A mount namespace comes with all of them: what is mounted for it stays its own. */
export function sandboxSteps({ network, ipc, uts, steps = [] }: SandboxRequest): readonly Step[] {
  return [
    ...(ipc ? ([{ verb: 'unshare', what: 'ipc' }] as const) : []),
    ...(uts ? ([{ verb: 'unshare', what: 'uts' }] as const) : []),
    ...(network ? ([{ verb: 'unshare', what: 'net' }] as const) : []),
    ...steps,
  ];
}

export function createSandboxes(deps: { readonly spawner: Spawner; readonly shimsDir: string }): Sandboxes {
  return {
    async open(request) {
      const dir = runDirOf(deps.shimsDir, randomId());
      await makeRunDir(dir);
      const { pid } = await deps.spawner.spawn({
        dir,
        steps: [{ verb: 'unshare', what: 'mount' }, ...sandboxSteps(request)],
        args: [],
        stdin: 'none',
        oomScoreAdj: HOLDER_OOM_SCORE,
      });
      const run = await joinReady(dir).catch(async (error: unknown) => {
        const failure = await whatShimLeft(error, dir);
        removeRunDir(dir);
        throw failure;
      });
      return {
        pid,
        namespace: (kind) => `/proc/${pid}/ns/${kind}`,
        async [Symbol.asyncDispose]() {
          await run.connection.abandon().catch(() => undefined);
          await run.end(END_MS);
          removeRunDir(dir);
        },
      };
    },
  };
}
