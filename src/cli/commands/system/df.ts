// Owns `system df`.
import { CommandFailure } from '../../failure.ts';
import { systemDf } from '../../grammar/system.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import type { Command } from '../../session.ts';
import { evaluateTemplate, rowLists, TemplateError } from '../../template/index.ts';
import { type VerboseRows, verboseRows, verboseTables } from './df-objects.ts';
import { summaryRows } from './df-summary.ts';

/** Formats of `system df`. @source docker 28.2.2 */
const STYLE: ListStyle = {
  table: '{{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}',
  quiet: '{{.Type}}',
  headings: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
};

/** Shows how much space images, containers, volumes and the build cache take. */
export const command: Command = {
  spec: systemDf,
  run: async (session, { flags }) => {
    const source = flags.text('format');
    const format = readListFormat(source, false, STYLE);
    const usage = await session.client().system.diskUsage();
    if (!flags.bool('verbose')) {
      session.out(renderList(format, STYLE, summaryRows(usage)));
      return 0;
    }
    const lists = verboseRows(usage, session.now());
    if (source === '' || source === 'table') session.out(verboseTables(lists, usage));
    else session.out(runVerbose(format.template, lists));
    return 0;
  },
};

function runVerbose(template: Parameters<typeof evaluateTemplate>[0], lists: VerboseRows): string {
  try {
    return evaluateTemplate(template, rowLists('formatter.diskUsageContext', { ...lists }));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(1, error.message, error.hint);
  }
}
