// Pins --format to docker 28.2.2, template by template: scripts would read other fields, or other texts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { openComparison } from './support/compare.ts';
import {
  readTemplates,
  TEMPLATE_GOLDEN,
  type TemplateOutcome,
  templateArgv,
  templateOutcome,
} from './support/templates.ts';

const golden = JSON.parse(readFileSync(TEMPLATE_GOLDEN, 'utf8')) as Readonly<Record<string, TemplateOutcome[]>>;
const { recordedAtMs } = JSON.parse(readFileSync(new URL('./golden/docker-28.2.2.json', import.meta.url), 'utf8')) as {
  recordedAtMs: number;
};
const comparison = await openComparison();
after(() => comparison[Symbol.asyncDispose]());

for (const { command, templates } of readTemplates()) {
  describe(command, () => {
    templates.forEach((template, at) => {
      test(template, async () => {
        const outcome = await comparison.gantry(templateArgv(command, template), recordedAtMs);
        assert.deepEqual(templateOutcome(outcome), golden[command]?.[at]);
      });
    });
  });
}
