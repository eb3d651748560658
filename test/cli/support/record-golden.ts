// Owns recording what docker 28.2.2 does with every case: run by hand when cases change, with docker on the PATH.
import { writeFileSync } from 'node:fs';
import { argvOf, COMMAND_CASES, CREATE_CASES, GRAMMAR_CASES, SHARED_COMMANDS } from './cases.table.ts';
import { FIXTURES, type Outcome, openComparison } from './compare.ts';
import { CONTEXT_GOLDEN, runDocker, STORIES, type StoryOutcome, tellStory } from './context-stories.ts';
import { type HelpShape, helpShape } from './help-shape.ts';
import { readTemplates, TEMPLATE_GOLDEN, templateArgv, templateOutcome } from './templates.ts';

await using comparison = await openComparison();

const golden = {
  recordedAtMs: Date.now(),
  create: {} as Record<string, unknown>,
  commands: {} as Record<string, Outcome>,
  help: {} as Record<string, HelpShape>,
};
for (const line of CREATE_CASES) {
  const outcome = await comparison.docker(['create', ...argvOf(line, FIXTURES)]);
  golden.create[line] = outcome.requests[0] ?? { failed: outcome.stderr };
}
for (const line of [...COMMAND_CASES, ...GRAMMAR_CASES]) {
  const outcome = await comparison.docker(argvOf(line, FIXTURES));
  if (outcome.exitCode === -1) throw new Error(`docker hangs or dies: ${line}\n${outcome.stderr}`);
  golden.commands[line] = outcome;
}
for (const path of SHARED_COMMANDS) {
  golden.help[path] = helpShape((await comparison.docker([...path.split(' '), '--help'])).stdout);
}
writeFileSync(new URL('../golden/docker-28.2.2.json', import.meta.url), lines(golden));

const templates: Record<string, Omit<Outcome, 'requests'>[]> = {};
for (const { command, templates: lines } of readTemplates()) {
  const outcomes: Omit<Outcome, 'requests'>[] = [];
  for (const line of lines) outcomes.push(templateOutcome(await comparison.docker(templateArgv(command, line))));
  templates[command] = outcomes;
}
writeFileSync(TEMPLATE_GOLDEN, lines(templates));

const stories: Record<string, StoryOutcome> = {};
for (const story of STORIES) stories[story] = await tellStory(runDocker, story);
writeFileSync(CONTEXT_GOLDEN, lines(stories));

/** JSON with a case a line. */
function lines(value: object): string {
  const sections = Object.entries(value).map(([key, section]: [string, unknown]) => {
    if (typeof section !== 'object' || section === null) return `${JSON.stringify(key)}: ${JSON.stringify(section)}`;
    const isList = Array.isArray(section);
    const members = Object.entries(section).map(
      ([name, member]) => ` ${isList ? '' : `${JSON.stringify(name)}: `}${JSON.stringify(member)}`,
    );
    const [open, close] = isList ? ['[', ']'] : ['{', '}'];
    return `${JSON.stringify(key)}: ${open}\n${members.join(',\n')}\n${close}`;
  });
  return `{\n${sections.join(',\n')}\n}\n`;
}
