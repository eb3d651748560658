// Owns recording a real dockerd's answers: GANTRY_ORACLE=unix:///… node test/api/golden/record.ts. Compares nothing.

import { writeFileSync } from 'node:fs';
import { ask } from '../support/raw-http.ts';
import { type GoldenAnswer, normalise } from './normalise.ts';
import type { GoldenCase } from './request.ts';
import { STATELESS } from './stateless.table.ts';
import { WALK } from './walk.table.ts';

/** The answers of `host` to `cases`, in order, by name. */
export async function answersOf(host: string, cases: readonly GoldenCase[]): Promise<Record<string, GoldenAnswer>> {
  const answers: Record<string, GoldenAnswer> = {};
  for (const golden of cases) answers[golden.name] = normalise(await ask(host, golden, golden.timeoutMs ?? 10_000));
  return answers;
}

if (import.meta.main) {
  const host = process.env.GANTRY_ORACLE;
  if (!host) throw new Error('name the daemon to record in GANTRY_ORACLE');
  for (const [file, cases] of [
    ['stateless', STATELESS],
    ['walk', WALK],
  ] as const) {
    const text = `${JSON.stringify(await answersOf(host, cases), null, 1)}\n`;
    writeFileSync(new URL(`${file}.json`, import.meta.url), text);
  }
}
