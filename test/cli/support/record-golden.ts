// Owns recording what docker 28.2.2 does with every case: run by hand when cases change, with docker on the PATH.
import { writeFileSync } from 'node:fs';
import { argvOf, COMMAND_CASES, CREATE_CASES } from './cases.table.ts';
import { FIXTURES, type Outcome, openComparison } from './compare.ts';
import { readTemplates, TEMPLATE_GOLDEN, templateArgv, templateOutcome } from './templates.ts';

await using comparison = await openComparison();

const golden: { recordedAtMs: number; create: Record<string, unknown>; commands: Record<string, Outcome> } = {
  recordedAtMs: Date.now(),
  create: {},
  commands: {},
};
for (const line of CREATE_CASES) {
  const outcome = await comparison.docker(['create', ...argvOf(line, FIXTURES)]);
  golden.create[line] = outcome.requests[0] ?? { failed: outcome.stderr };
}
for (const line of COMMAND_CASES) {
  const outcome = await comparison.docker(argvOf(line, FIXTURES));
  if (outcome.exitCode === -1) throw new Error(`docker hangs or dies: ${line}\n${outcome.stderr}`);
  golden.commands[line] = outcome;
}
writeFileSync(new URL('../golden/docker-28.2.2.json', import.meta.url), `${JSON.stringify(golden, undefined, 1)}\n`);

const templates: Record<string, Omit<Outcome, 'requests'>[]> = {};
for (const { command, templates: lines } of readTemplates()) {
  const outcomes: Omit<Outcome, 'requests'>[] = [];
  for (const line of lines) outcomes.push(templateOutcome(await comparison.docker(templateArgv(command, line))));
  templates[command] = outcomes;
}
writeFileSync(TEMPLATE_GOLDEN, `${JSON.stringify(templates, undefined, 1)}\n`);
