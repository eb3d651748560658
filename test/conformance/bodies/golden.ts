// Owns what a real Docker Engine made of each create body: golden/<area>.json. With GANTRY_ORACLE set to an engine's address
// (`unix://…`) the bodies are tried there first and the files written anew.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { busybox } from '../../fixtures/busybox.ts';
import { must, which } from '../../support/commands.ts';
import { BODY_AREAS } from './cases/index.ts';
import { play } from './play.ts';
import type { Outcome } from './types.ts';

export type Golden = Readonly<Record<string, readonly Outcome[]>>;

export const IMAGE = 'gtbox:latest';
const fileOf = (area: string) => new URL(`golden/${area}.json`, import.meta.url);

/** The golden outcomes of an area; {} where none were recorded. */
export function golden(area: string): Golden {
  return existsSync(fileOf(area)) ? (JSON.parse(readFileSync(fileOf(area), 'utf8')) as Golden) : {};
}

/** Tries every body on a real engine and writes what came of it. */
export async function record(host: string, only: readonly string[] = Object.keys(BODY_AREAS)): Promise<void> {
  const program = which('docker');
  if (program === undefined) throw new Error('no docker on PATH to record with');
  await must(program, ['load', '-i', (await busybox(IMAGE)).archive], { env: { DOCKER_HOST: host } });
  const engine = { socket: host.replace(/^unix:\/\//, ''), image: IMAGE };
  for (const area of only) {
    const outcomes: Record<string, Outcome[]> = {};
    for (const one of BODY_AREAS[area] ?? []) outcomes[one.name] = await play(engine, one);
    writeFileSync(fileOf(area), `${JSON.stringify(outcomes, null, 1)}\n`);
  }
}

if (import.meta.main)
  await record(process.env.GANTRY_ORACLE ?? '', process.argv.length > 2 ? process.argv.slice(2) : undefined);
