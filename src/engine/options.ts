// Owns what an engine is opened with, and what its owner gets besides the face. No behaviour.

import type { FixedSettings, ReloadableSettings } from './settings.ts';
import type { Engine } from './types.ts';

/** How an engine is opened. */
export interface EngineOptions extends ReloadableSettings, FixedSettings {
  /** Images, containers, volumes, records; absolute. */
  readonly dataRoot: string;
  /** Running state, absolute; best on a memory file system. */
  readonly execRoot: string;
  /** Our shim program, absolute. */
  readonly shimBinary: string;
  /** Version to show. */
  readonly version: string;
  /** Kernel name of the default bridge (at most 15 bytes); `none` for no bridge. */
  readonly bridge: string;
  /** Its address as CIDR; '' = the first free pool. */
  readonly bip: string;
  /** Pools for networks; [] = Docker's. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly userlandProxy: boolean;
  readonly logDriver: string;
  readonly logOpts: Readonly<Record<string, string>>;
  /** Put records together again that are damaged or gone, before anything else. */
  readonly recover?: boolean | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/** An engine in this process. Disposing lets go of its containers, which run on. */
export interface OpenEngine extends Engine, AsyncDisposable {
  /** Begins cheap preparations for what a client that has just come may ask for. */
  readonly expectWork: () => void;
  /** Takes new settings for what happens from now on, and publishes it. @throws GantryError RUNTIME_NOT_FOUND, and nothing has changed */
  readonly reload: (settings: ReloadableSettings, attributes: Readonly<Record<string, string>>) => Promise<void>;
  /** Stops all containers within their stop timeouts, or `timeoutSeconds` where that is longer; -1 = without limit. */
  readonly stopAll: (timeoutSeconds: number) => Promise<void>;
}
