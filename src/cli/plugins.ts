// Owns handing unknown commands to Docker's plugins (`docker-compose` and the like), so that they work as with docker.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from './session.ts';

/** Where Docker keeps plugins, besides the config folder. @source docker 28.2.2 */
const SYSTEM_FOLDERS = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];
const NAME = /^[a-z][a-z0-9]*$/;

/** Runs the plugin that `words` name; undefined when there is none. */
export async function runPlugin(session: Session, words: readonly string[]): Promise<number | undefined> {
  const name = words[0] ?? '';
  if (!NAME.test(name)) return undefined;
  const folders = [join(session.config().folder, 'cli-plugins'), ...SYSTEM_FOLDERS];
  const program = folders.map((folder) => join(folder, `docker-${name}`)).find((path) => existsSync(path));
  if (program === undefined) return undefined;
  const child = spawn(program, [...words], {
    stdio: 'inherit',
    env: {
      ...session.env,
      DOCKER_HOST: session.chosenHost().host,
      DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.argv[1],
      DOCKER_CLI_PLUGIN_USE_DIAL_STDIO: undefined,
    },
  });
  // The terminal sends its signals to the plugin as well; this process only waits for it.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}
