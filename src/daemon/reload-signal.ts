// Owns SIGHUP: reading the configuration again, one after the other, and the lines in the log about it.

import type { ApiLogger } from '../api/index.ts';
import { messageOf } from '../lib/errors.ts';
import type { Configured, DaemonConfig } from './config.ts';
import { type Reloaded, reloaded } from './reload.ts';

export interface ReloadDoors {
  readonly logger: ApiLogger;
  /** The file that is read, for the log. */
  readonly file: string;
  /** Reads flags and file again. @throws GantryError for what is wrong in them */
  readonly read: () => Configured;
  readonly current: () => DaemonConfig;
  /** Makes it count. @throws GantryError, and all is as before */
  readonly apply: (config: DaemonConfig) => Promise<void>;
}

/** Signals that come before the first `serve` wait for it. */
export class ReloadSignal {
  #doors: ReloadDoors | undefined;
  #pending = false;
  #last: Promise<void> = Promise.resolve();

  /** For the signal. */
  readonly raise = (): void => {
    if (this.#doors === undefined) this.#pending = true;
    else this.#reload(this.#doors);
  };

  /** From now on signals are answered. */
  serve(doors: ReloadDoors): void {
    this.#doors = doors;
    if (this.#pending) this.#reload(doors);
  }

  #reload(doors: ReloadDoors): void {
    this.#last = this.#last.then(() => reloadOnce(doors));
  }
}

/** Never rejects: what was there goes on. @source dockerd 28.5 for the texts */
async function reloadOnce({ logger, file, read, current, apply }: ReloadDoors): Promise<void> {
  logger.log('info', `Got signal to reload configuration, reloading from: ${file}`);
  try {
    const next = read();
    const { config, later }: Reloaded = reloaded(current(), next);
    await apply(config);
    for (const warning of next.warnings) logger.log('warn', warning);
    for (const name of later) logger.log('warn', `"${name}" changed: it counts when the daemon starts again`);
    logger.log('info', 'the configuration was reloaded');
  } catch (error) {
    logger.log('error', 'Error reloading configuration', { error: messageOf(error) });
  }
}
