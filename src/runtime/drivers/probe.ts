// Owns finding the OCI runtimes of this host and choosing the default one. Runs them, but no container of a user.

import type { CgroupLayout } from '../../host/cgroup/index.ts';
import { findExecutable } from '../../host/process/index.ts';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { RuntimeTraits } from '../bundle/index.ts';
import type { Spawner, Step } from '../link/index.ts';
import type { RuntimeDriver } from './driver.ts';
import type { SeccompCache } from './seccomp-cache.ts';
import { type TrialPlace, tryContainer } from './trial.ts';

/** A runtime of `--add-runtime` or daemon.json. */
export interface AddedRuntime {
  readonly path: string;
  readonly args?: readonly string[] | undefined;
}

export interface ProbeRequest {
  readonly spawner: Spawner;
  readonly layout: CgroupLayout;
  /** `<exec-root>`: state directories and trials go there. */
  readonly execRoot: string;
  readonly added: Readonly<Record<string, AddedRuntime>>;
  /** `--default-runtime`; undefined = the fastest that works. */
  readonly wanted?: string | undefined;
  readonly trial: TrialPlace;
  readonly seccomp: SeccompCache;
}

/** The runtimes of one engine. */
export interface Runtimes {
  readonly drivers: ReadonlyMap<string, RuntimeDriver>;
  readonly defaultName: string;
  /** Sentences for `info`: which runtime, why, and what would change it. */
  readonly notes: readonly string[];
}

const BUILT_IN = ['crun', 'runc'];
const VERSION_TIMEOUT_MS = 10_000;

/**
 * Finds runc, crun and the added ones; tries crun with a real container where that was not done since boot.
 * @throws RUNTIME_NOT_FOUND when none is installed, or the wanted one is unknown or missing
 */
export async function probeRuntimes(request: ProbeRequest): Promise<Runtimes> {
  const builtIn = Object.fromEntries(BUILT_IN.map((name) => [name, { path: name }]));
  const { wanted, added } = request;
  const drivers = await probeAdded(request, { ...builtIn, ...added });
  if (wanted !== undefined && !drivers.has(wanted)) {
    throw wanted in builtIn || Object.hasOwn(added, wanted) ? missing(wanted) : noSuchRuntime(wanted);
  }
  const verdict = await tryCrun(request, drivers.get('crun'));
  const fastest = verdict.works ? 'crun' : (['runc', ...drivers.keys()].find((name) => drivers.has(name)) ?? '');
  if (fastest === '') throw missing('runc or crun');
  const defaultName = wanted ?? fastest;
  return { drivers, defaultName, notes: notesOf(drivers, defaultName, verdict, request) };
}

/** What finding runtimes by path needs. */
export type AddedProbe = Pick<ProbeRequest, 'spawner' | 'execRoot' | 'layout' | 'trial'>;

/** Drivers for those that are there. */
export async function probeAdded(
  request: AddedProbe,
  added: Readonly<Record<string, AddedRuntime>>,
): Promise<Map<string, RuntimeDriver>> {
  const drivers = new Map<string, RuntimeDriver>();
  for (const [name, runtime] of Object.entries(added)) {
    const driver = await findDriver(request, name, runtime);
    if (driver !== undefined) drivers.set(name, driver);
  }
  return drivers;
}

async function findDriver(
  { spawner, execRoot, layout, trial }: AddedProbe,
  name: string,
  runtime: AddedRuntime,
): Promise<RuntimeDriver | undefined> {
  const binary = await findExecutable(runtime.path);
  if (binary === undefined) return undefined;
  const { out } = await spawner.run({ args: [binary, '--version'], timeoutMs: VERSION_TIMEOUT_MS });
  const dialect = out.startsWith('crun') ? 'crun' : 'runc';
  const version = /version (\S+)/.exec(out)?.[1] ?? '';
  return {
    name,
    dialect,
    binary,
    program: BUILT_IN.includes(runtime.path) ? await sealedCopy(spawner, binary) : binary,
    version,
    traits: traitsOf(name, out.split(' ', 1)[0] ?? '', version, trial.host.kernel),
    stateDir: `${execRoot}/runtime-${name}`,
    steps: dialect === 'crun' ? hybridSteps(layout) : [],
    extraArgs: runtime.args ?? [],
  };
}

/** First versions that know `rro`; other programs are not asked. @source runc 1.1.0 and crun 1.4 release notes; Linux 5.12 */
const RECURSIVE_READ_ONLY: ReadonlyMap<string, readonly [major: number, minor: number]> = new Map([
  ['runc', [1, 1]],
  ['crun', [1, 4]],
]);

function traitsOf(
  name: string,
  program: string,
  version: string,
  kernel: readonly [major: number, minor: number],
): RuntimeTraits {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const since = RECURSIVE_READ_ONLY.get(program);
  const knows = since !== undefined && (major > since[0] || (major === since[0] && minor >= since[1]));
  const kernelKnows = kernel[0] > 5 || (kernel[0] === 5 && kernel[1] >= 12);
  return { name, recursiveReadOnly: knows && kernelKnows, isCrun: program === 'crun' };
}

/**
 * runc and crun copy themselves into sealed memory at each start, unless they run from there already: 2 ms of crun's 7.
 * Other runtimes may be scripts, which cannot be run from a descriptor.
 */
function sealedCopy(spawner: Spawner, binary: string): Promise<string> {
  return spawner.seal(binary).catch(() => binary);
}

/**
 * crun refuses a hybrid host whose version 2 hierarchy has controllers. Out of sight, in the private mount namespace of the
 * caller, that hierarchy does not disturb it. @source crun 1.8.1: "cgroups in hybrid mode not supported"
 */
function hybridSteps(layout: CgroupLayout): Step[] {
  return inTheWay(layout) ? [{ verb: 'umount', path: layout.unified }] : [];
}

function inTheWay({ mode, unifiedControllers }: CgroupLayout): boolean {
  return mode === 'hybrid' && unifiedControllers.length > 0;
}

interface Verdict {
  readonly works: boolean;
  readonly reason: string;
}

async function tryCrun(request: ProbeRequest, crun: RuntimeDriver | undefined): Promise<Verdict> {
  if (crun === undefined)
    return { works: false, reason: 'crun is not installed; it starts containers 2 to 4 times faster' };
  try {
    await tryContainer(request.trial, request.spawner, crun, request.seccomp);
    return { works: true, reason: '' };
  } catch (error) {
    return { works: false, reason: `crun does not work here: ${messageOf(error)}` };
  }
}

function notesOf(
  drivers: ReadonlyMap<string, RuntimeDriver>,
  defaultName: string,
  verdict: Verdict,
  { layout, wanted }: ProbeRequest,
): string[] {
  const chosen = drivers.get(defaultName);
  const why = wanted === undefined ? 'the fastest that works here' : 'as configured';
  const notes = [`default runtime ${defaultName} ${chosen?.version ?? ''} (${chosen?.binary ?? ''}): ${why}`];
  if (verdict.reason !== '') notes.push(verdict.reason);
  if (inTheWay(layout) && drivers.has('crun')) {
    const controllers = layout.unifiedControllers.join(', ');
    notes.push(
      `this host is a hybrid cgroup host that leaves ${controllers} on version 2: crun runs with ${layout.unified} hidden ` +
        'from it; mounting those controllers on version 1 (Debian: package cgroupfs-mount) or booting with cgroup version 2 only ' +
        'lets it run plainly',
    );
  }
  return notes;
}

/** A default that nobody configured. @source dockerd 28.5 */
export function noSuchRuntime(name: string): GantryError {
  return new GantryError('invalid', 'NO_SUCH_RUNTIME', `specified default runtime '${name}' does not exist`);
}

function missing(name: string): GantryError {
  return new GantryError('notFound', 'RUNTIME_NOT_FOUND', `unknown or invalid runtime name: ${name}`, {
    params: { name },
    hint: 'install Debian’s packages crun or runc, or name one with --add-runtime NAME=PATH',
  });
}
