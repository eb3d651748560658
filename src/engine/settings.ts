// Owns the settings of an engine: those that a reload may change, and how its parts look them up.

import { readFileSync } from 'node:fs';
import { GantryError, messageOf } from '../lib/errors.ts';
import type { RegistryOptions } from '../remote/index.ts';
import {
  type AddedProbe,
  type AddedRuntime,
  noSuchRuntime,
  probeAdded,
  type RuntimeDriver,
  type Runtimes,
} from '../runtime/drivers/index.ts';
import { scanJson } from '../spec/docker/decode-json.ts';
import type { ContainerDefaults } from './containers/index.ts';
import type { EngineHost } from './runs/index.ts';

/** What a reload may change. What is left out stays. */
export interface ReloadableSettings {
  readonly debug: boolean;
  readonly labels: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly maxConcurrentDownloads: number;
  /** Default 5. */
  readonly maxDownloadAttempts?: number | undefined;
  /** Whether containers outlive this engine's process, which is for its owner to see to; shown by `info`. Default true. */
  readonly liveRestore?: boolean | undefined;
  /** By name; '' = the fastest that works here. */
  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, AddedRuntime>>;
  /** What containers get that do not ask otherwise. */
  readonly defaults?: ContainerDefaults | undefined;
}

/** Further settings, each with dockerd's default. */
export interface FixedSettings {
  /** Run an init in containers; default false. */
  readonly init?: boolean | undefined;
  /** Absolute path of another init than ours. */
  readonly initPath?: string | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  /** `builtin`, `unconfined`, or the path of a profile. */
  readonly seccompProfile?: string | undefined;
  readonly mtu?: number | undefined;
  readonly icc?: boolean | undefined;
  readonly hostIp?: string | undefined;
  readonly ipForward?: boolean | undefined;
  readonly ipMasq?: boolean | undefined;
  readonly iptables?: boolean | undefined;
  /** Shown by `info` and `version`. */
  readonly experimental?: boolean | undefined;
  readonly minApiVersion?: string | undefined;
}

/** The settings as they are now. */
export class Settings {
  #now: ReloadableSettings;
  readonly #probe: AddedProbe;
  readonly #builtIn: readonly string[];
  readonly #fallback: string;
  readonly #drivers: Map<string, RuntimeDriver>;
  #runtimes: readonly string[];

  /** `runtimes`: what was found for `initial`. */
  constructor(initial: ReloadableSettings, runtimes: Runtimes, probe: AddedProbe) {
    this.#now = initial;
    this.#probe = probe;
    this.#drivers = new Map(runtimes.drivers);
    this.#runtimes = [...runtimes.drivers.keys()];
    this.#builtIn = this.#runtimes.filter((name) => !Object.hasOwn(initial.runtimes, name));
    this.#fallback = runtimes.defaultName;
  }

  get now(): ReloadableSettings {
    return this.#now;
  }

  /** All that containers may have been made with. */
  get drivers(): ReadonlyMap<string, RuntimeDriver> {
    return this.#drivers;
  }

  /** Names that new containers may have. */
  get runtimes(): readonly string[] {
    return this.#runtimes;
  }

  get defaultRuntime(): string {
    return this.#now.defaultRuntime || this.#fallback;
  }

  /** As they are at the moment of looking. */
  get registries(): RegistryOptions {
    const now = (): ReloadableSettings => this.#now;
    return {
      get mirrors() {
        return now().registryMirrors;
      },
      get insecure() {
        return now().insecureRegistries;
      },
      get maxConcurrentDownloads() {
        return now().maxConcurrentDownloads;
      },
      get maxDownloadAttempts() {
        return now().maxDownloadAttempts;
      },
    };
  }

  /** @throws NO_SUCH_RUNTIME, RUNTIME_NOT_FOUND, and nothing has changed */
  async reload(next: ReloadableSettings): Promise<void> {
    const added = await probeAdded(this.#probe, next.runtimes);
    const names = [...this.#builtIn, ...added.keys()];
    const wanted = next.defaultRuntime || this.#fallback;
    if (!names.includes(wanted)) throw noSuchRuntime(wanted);
    for (const [name, driver] of added) this.#drivers.set(name, driver);
    this.#runtimes = names;
    this.#now = next;
  }
}

/** The host as containers get it. @throws SECCOMP_PROFILE when the profile cannot be read */
export function withSettings(
  host: EngineHost,
  { init = false, initPath, noNewPrivileges, seccompProfile }: FixedSettings,
): EngineHost {
  const seccomp = seccompProfile && seccompProfile !== 'builtin' ? [`seccomp=${readProfile(seccompProfile)}`] : [];
  return {
    ...host,
    initByDefault: init,
    ...(initPath && { initBinary: initPath, initArgs: [] }),
    securityOptions: [...(noNewPrivileges ? ['no-new-privileges'] : []), ...seccomp],
  };
}

function readProfile(path: string): string {
  if (path === 'unconfined') return path;
  const fail = (message: string) => new GantryError('invalid', 'SECCOMP_PROFILE', message);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? `open ${path}: no such file or directory` : messageOf(error);
    throw fail(`opening seccomp profile (${path}) failed: ${why}`);
  }
  const scan = scanJson(text);
  if (scan.kind === 'error') throw fail(`Decoding seccomp profile failed: ${scan.message}`);
  return text;
}

/** `info`'s words. @source dockerd 28.5 */
export function securityWords(
  { seccompProfile, noNewPrivileges }: FixedSettings,
  defaults: ContainerDefaults,
): string[] {
  return [
    `name=seccomp,profile=${seccompProfile || 'builtin'}`,
    ...(defaults.cgroupnsMode === 'private' ? ['name=cgroupns'] : []),
    ...(noNewPrivileges ? ['name=no-new-privileges'] : []),
  ];
}
