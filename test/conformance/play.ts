// Owns playing one case through one command line, and making two plays comparable. Asserts nothing.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Said } from '../support/commands.ts';
import type { Case } from './cases/types.ts';

export interface Player {
  /** Path of the command line under test. */
  readonly program: string;
  /** `unix://…` of the engine. */
  readonly host: string;
}

export interface Line extends Said {
  readonly step: string;
}

const PRELUDE = 'docker() { "$GT_CLI" "$@"; }\n';

/** Replaces what differs from run to run: ids, times, ports, the case's name and folder, the program's own name. */
function normalise(text: string, name: string, folder: string): string {
  return text
    .replaceAll(folder, '<cwd>')
    .replaceAll(name, '<name>')
    .replace(/\b(sha256:)?[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<id12>')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
    .replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g, '<time>')
    .replace(
      /(failed to create task for container: .*?|OCI runtime exec failed: .*?)(?=exec: "|chdir )/g,
      '<runtime>: ',
    )
    .replace(/time="[^"]*"/g, 'time="<time>"')
    .replace(/(Less than a second|About an? \w+|\d+ (seconds?|minutes?|hours?|years?))( ago)?/g, '<ago>')
    .replace(/(127\.0\.0\.1|0\.0\.0\.0|\[::\]):\d{5}/g, '$1:<port>')
    .replace(/\bgantry(?=[ :])/g, 'docker')
    .replace(/^Hint: .*\n/gm, '')
    .replace(/[ \t]{2,}/g, '  ')
    .replace(/[ \t]+$/gm, '');
}

/** Plays all steps of a case; removes every container that it named. */
export async function play(player: Player, { steps }: Case): Promise<Line[]> {
  const folder = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-case-`));
  const name = `gtc${randomBytes(5).toString('hex').slice(0, 9)}x`;
  const config = join(folder, '.config');
  const env = {
    DOCKER_HOST: player.host,
    DOCKER_CONFIG: config,
    GT_CLI: player.program,
    N: name,
    NODE_TEST_CONTEXT: undefined,
    DOCKER_CLI_HINTS: 'false',
  };
  try {
    const lines: Line[] = [];
    for (const step of steps) {
      const said = await run('bash', ['-c', PRELUDE + step], { env, cwd: folder, timeoutMs: 60_000 });
      const clean = (text: string) => normalise(text, name, folder);
      lines.push({ step, code: said.code, stdout: clean(said.stdout), stderr: clean(said.stderr) });
    }
    return lines;
  } finally {
    const sweep = `${PRELUDE}ids=$(docker ps -aq -f name=$N); [ -z "$ids" ] || docker rm -f -v $ids; docker volume rm -f $N`;
    await run('bash', ['-c', sweep], { env, cwd: folder });
    rmSync(folder, { recursive: true, force: true });
  }
}
