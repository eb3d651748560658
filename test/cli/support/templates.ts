// Owns the templates that are compared with docker's: where they are listed, how they are run, and what may differ.
import { readFileSync } from 'node:fs';
import type { Outcome } from './compare.ts';

/** What docker printed for each, in the order of the list. */
export const TEMPLATE_GOLDEN = new URL('../golden/templates-28.2.2.json', import.meta.url);

/** What a template did. */
export type TemplateOutcome = Omit<Outcome, 'requests'>;

/** A command and the templates that it is given. */
export interface TemplateCases {
  readonly command: string;
  readonly templates: readonly string[];
}

/** The list: a line `# command`, then a template a line. */
export function readTemplates(): TemplateCases[] {
  const text = readFileSync(new URL('../golden/templates.txt', import.meta.url), 'utf8');
  return text
    .split(/^# /m)
    .slice(1)
    .map((section) => {
      const [command = '', ...templates] = section.trimEnd().split('\n');
      return { command, templates };
    });
}

/** The command line of a case. */
export const templateArgv = (command: string, template: string): string[] => [
  ...command.split(' '),
  '--format',
  template,
];

/** What a case printed; addresses change with every run. */
export function templateOutcome({ exitCode, stdout, stderr }: Outcome): TemplateOutcome {
  const clean = (text: string): string => text.replace(/0x[0-9a-f]{6,}|\bc0[0-9a-f]{8}\b|\b82[45]\d{9}\b/g, 'ADDRESS');
  return { exitCode, stdout: clean(stdout), stderr: clean(stderr) };
}
