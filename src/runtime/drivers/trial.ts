// Owns trying a runtime with a container that is created, looked at and deleted: once per boot and version, and once a seccomp
// profile, for the filter that it compiles.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { CgroupLayout } from '../../host/cgroup/index.ts';
import { GantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { type BundleHost, buildSpec, type OciSeccomp, type OciSpec, specText } from '../bundle/index.ts';
import type { Spawner, Step } from '../link/index.ts';
import { createArgs, deleteArgs, type RuntimeDriver } from './driver.ts';
import { runtimeLogMessage } from './log.ts';
import type { SeccompCache } from './seccomp-cache.ts';

/** Where and with what to try. */
export interface TrialPlace {
  /** Private to the engine, emptied at boot: `<exec-root>/trials`. */
  readonly dir: string;
  readonly bootId: string;
  readonly layout: CgroupLayout;
  readonly host: BundleHost;
}

const TIMEOUT_MS = 20_000;
const TRIAL_MEMORY_BYTES = 64 * 1024 * 1024;

/**
 * Resolves when the runtime can make a container with Docker's defaults and a memory limit. The result is remembered in
 * `place.dir` until the next boot or version; the filter that it compiled on the way goes to `seccomp`.
 * @throws RUNTIME_TRIAL_FAILED with the runtime's words
 */
export async function tryContainer(
  place: TrialPlace,
  spawner: Spawner,
  driver: RuntimeDriver,
  seccomp: SeccompCache,
): Promise<void> {
  const record = `${place.dir}/${trialKey(place, driver)}`;
  const known = await readFile(record, 'utf8').catch(() => undefined);
  if (known === 'works') return;
  await mkdir(place.dir, { recursive: true, mode: 0o700 });
  const spec = trialSpec(place, driver);
  const filter = await makeAndDelete(spawner, driver, spec);
  if (filter !== undefined) await seccomp.keep(driver, spec, filter);
  await writeFile(record, 'works');
}

/** The filter that the runtime compiles of a profile. @throws RUNTIME_TRIAL_FAILED */
export async function compileFilter(
  place: TrialPlace,
  spawner: Spawner,
  driver: RuntimeDriver,
  seccomp: OciSeccomp,
): Promise<Buffer> {
  const spec = trialSpec(place, driver);
  const filter = await makeAndDelete(spawner, driver, { ...spec, linux: { ...spec.linux, seccomp } });
  if (filter === undefined) throw failed(driver, 'no compiled seccomp filter was left');
  return filter;
}

function trialKey(place: TrialPlace, driver: RuntimeDriver): string {
  const facts = [place.bootId, driver.binary, driver.version, driver.extraArgs, driver.steps, place.layout.mode];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 24);
}

/** What the runtime left of the container's seccomp section; undefined when it leaves none. */
async function makeAndDelete(spawner: Spawner, driver: RuntimeDriver, spec: OciSpec): Promise<Buffer | undefined> {
  const dir = dirname(spec.root.path);
  const id = basename(dir);
  const steps: readonly Step[] = [
    { verb: 'unshare', what: 'mount' },
    ...driver.steps,
    { verb: 'unshare', what: 'net' },
  ];
  const run = async (args: readonly string[]): Promise<void> => {
    const { code, err } = await spawner.run({ args, steps, timeoutMs: TIMEOUT_MS });
    if (code !== 0) throw failed(driver, runtimeLogMessage(err) || `exit code ${code}`);
  };
  try {
    await mkdir(`${dir}/rootfs`, { recursive: true });
    await writeFile(`${dir}/config.json`, specText(spec));
    await run(createArgs(driver, id, dir));
    const filter = await readFile(`${driver.stateDir}/${id}/seccomp.bpf`).catch(() => undefined);
    await run(deleteArgs(driver, id));
    return filter;
  } catch (error) {
    await run(deleteArgs(driver, id)).catch(() => undefined);
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Its process is never started: the init program only has to be there. */
function trialSpec({ dir, host }: TrialPlace, { traits }: RuntimeDriver): OciSpec {
  const id = `trial-${randomId().slice(0, 16)}`;
  return buildSpec({
    id,
    config: {},
    hostConfig: { Memory: TRIAL_MEMORY_BYTES },
    command: ['/init'],
    user: { uid: 0, gid: 0, groups: [0], home: '/' },
    rootfsPath: `${dir}/${id}/rootfs`,
    mounts: [
      {
        type: 'bind',
        source: host.initBinary,
        sourceIsDirectory: false,
        destination: '/init',
        writable: false,
        propagation: 'rprivate',
      },
    ],
    files: {},
    network: { kind: 'own' },
    devices: [],
    runtime: traits,
    host,
  });
}

function failed(driver: RuntimeDriver, reason: string): GantryError {
  return new GantryError('system', 'RUNTIME_TRIAL_FAILED', reason, { params: { runtime: driver.name } });
}
