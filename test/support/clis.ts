// Owns which command lines a test goes through: the real Docker CLI where it is new enough, and ours always.

import { fileURLToPath } from 'node:url';
import { run, which } from './commands.ts';

const OLDEST_DOCKER = 28;

export type Cli = 'docker' | 'gantry';
export const CLIS: readonly Cli[] = ['docker', 'gantry'];

/** The program of each command line. */
export const PROGRAMS: Readonly<Record<Cli, string>> = {
  docker: which('docker') ?? 'docker',
  gantry: fileURLToPath(new URL('../../bin/gantry', import.meta.url)),
};

async function whyNotDocker(): Promise<string | false> {
  if (which('docker') === undefined) return 'no docker on PATH';
  const said = await run('docker', ['--version']);
  const version = Number(/version (\d+)/.exec(said.stdout)?.[1] ?? 0);
  return version >= OLDEST_DOCKER ? false : `docker ${version} on PATH, ${OLDEST_DOCKER} or newer is needed`;
}

/** Why a command line cannot be tested here, or false: what node:test wants as `skip`. */
export const SKIP: Readonly<Record<Cli, string | false>> = { docker: await whyNotDocker(), gantry: false };
