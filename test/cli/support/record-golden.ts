// Owns recording what docker 28.2.2 does with every case: run by hand when cases change, with docker on the PATH.
import { writeFileSync } from 'node:fs';
import { argvOf, COMMAND_CASES, CREATE_CASES } from './cases.table.ts';
import { FIXTURES, type Outcome, runDocker } from './compare.ts';

const golden: { recordedAtMs: number; create: Record<string, unknown>; commands: Record<string, Outcome> } = {
  recordedAtMs: Date.now(),
  create: {},
  commands: {},
};
for (const line of CREATE_CASES) {
  const outcome = await runDocker(['create', ...argvOf(line, FIXTURES)]);
  golden.create[line] = outcome.requests[0] ?? { failed: outcome.stderr };
}
for (const line of COMMAND_CASES) {
  const outcome = await runDocker(argvOf(line, FIXTURES));
  if (outcome.exitCode === -1) throw new Error(`docker hangs or dies: ${line}\n${outcome.stderr}`);
  golden.commands[line] = outcome;
}
writeFileSync(new URL('../golden/docker-28.2.2.json', import.meta.url), `${JSON.stringify(golden, undefined, 1)}\n`);
