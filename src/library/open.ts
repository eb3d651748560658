// Owns the defaults with which a program opens an engine in its own process. Runs no daemon.

import { join, resolve } from 'node:path';
import { type EngineOptions, type OpenEngine, openEngine as open } from '../engine/index.ts';
import { packageRoot, VERSION } from '../lib/package.ts';

/** Everything has a default; two engines of one machine need roots and bridges of their own. */
export interface OpenOptions extends Partial<Omit<EngineOptions, 'version'>> {
  /** Shorthand for `dataRoot` = `<root>/data` and `execRoot` = `<root>/exec`. */
  readonly root?: string | undefined;
}

/**
 * Opens an engine in this process: images, containers, networks, without daemon or CLI. Needs root. Disposing it lets go of its
 * containers, which run on and are taken up by the next who opens the same roots.
 * @throws GantryError: ROOT_TAKEN when a daemon or another program has the roots open
 */
export function openEngine(options: OpenOptions = {}): Promise<OpenEngine> {
  const { root, ...given } = options;
  const dataRoot = given.dataRoot ?? (root ? join(root, 'data') : '/var/lib/gantry');
  const execRoot = given.execRoot ?? (root ? join(root, 'exec') : '/run/gantry');
  return open({
    shimBinary: join(packageRoot(), 'shim/build/gantry-shim'),
    bridge: 'gantry0',
    bip: '',
    addressPools: [],
    defaultRuntime: '',
    runtimes: {},
    insecureRegistries: [],
    registryMirrors: [],
    maxConcurrentDownloads: 3,
    userlandProxy: true,
    logDriver: 'json-file',
    logOpts: {},
    labels: [],
    debug: false,
    log: () => {},
    ...given,
    version: VERSION,
    dataRoot: resolve(dataRoot),
    execRoot: resolve(execRoot),
  });
}
