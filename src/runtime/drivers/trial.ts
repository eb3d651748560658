// Owns trying a runtime with a container that is created, looked at and deleted, once per boot and version.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { CgroupLayout } from '../../host/cgroup/index.ts';
import { GantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { type BundleHost, buildSpec, type OciSpec, specText } from '../bundle/index.ts';
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
 * `place.dir` until the next boot or version. The compiled filter goes to `seccomp`.
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
  await makeAndDelete(place, spawner, driver, seccomp);
  await writeFile(record, 'works');
}

function trialKey(place: TrialPlace, driver: RuntimeDriver): string {
  const facts = [place.bootId, driver.binary, driver.version, driver.extraArgs, driver.steps, place.layout.mode];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 24);
}

async function makeAndDelete(
  place: TrialPlace,
  spawner: Spawner,
  driver: RuntimeDriver,
  seccomp: SeccompCache,
): Promise<void> {
  const id = `trial-${randomId().slice(0, 16)}`;
  const dir = `${place.dir}/${id}`;
  const spec = trialSpec(place.host, driver, id, `${dir}/rootfs`);
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
    await seccomp.learn(driver, spec, id);
    await run(deleteArgs(driver, id));
  } catch (error) {
    await run(deleteArgs(driver, id)).catch(() => undefined);
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Its process is never started: the init program only has to be there. */
function trialSpec(host: BundleHost, { traits }: RuntimeDriver, id: string, rootfsPath: string): OciSpec {
  return buildSpec({
    id,
    config: {},
    hostConfig: { Memory: TRIAL_MEMORY_BYTES },
    command: ['/init'],
    user: { uid: 0, gid: 0, groups: [0], home: '/' },
    rootfsPath,
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
