// Owns `context ls`.
import { type ContextMetadata, listContexts } from '../../config/contexts.ts';
import { contextLs } from '../../grammar/context.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { naturalCompare } from '../../render/natural-order.ts';
import { ellipsis } from '../../render/units.ts';
import type { Command, Session } from '../../session.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';
import { currentContext, DEFAULT_DESCRIPTION, defaultMetadata, overridingVariable } from './current.ts';

const DESCRIPTION_WIDTH = 45;

/** Formats of `context ls`. @source docker 28.2.2 */
const STYLE: ListStyle = {
  table: '{{.Name}}{{if .Current}} *{{end}}\\t{{.Description}}\\t{{.DockerEndpoint}}\\t{{.Error}}',
  quiet: '{{.Name}}',
  headings: {
    Name: 'NAME',
    Description: 'DESCRIPTION',
    DockerEndpoint: 'DOCKER ENDPOINT',
    Error: 'ERROR',
  },
};

/** Lists contexts. */
export const command: Command = {
  spec: contextLs,
  run: async (session, { flags }) => {
    const format = readListFormat(flags.bool('quiet') ? '' : flags.text('format'), flags.bool('quiet'), STYLE);
    session.out(renderList(format, STYLE, rowsOf(session)));
    const variable = overridingVariable(session);
    if (variable !== undefined) {
      session.warn(
        `Warning: ${variable} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${variable} environment variable.`,
      );
    }
    return 0;
  },
};

function rowsOf(session: Session): TemplateMap[] {
  const current = currentContext(session);
  const byDefault = { ...defaultMetadata(session), Metadata: { Description: DEFAULT_DESCRIPTION } };
  return [...listContexts(session.config().folder), byDefault]
    .sort((left, right) => naturalCompare(left.Name, right.Name))
    .map((context) => row(context, current));
}

function row({ Name, Metadata, Endpoints }: ContextMetadata, current: string): TemplateMap {
  return {
    [TYPE_NAME]: '*formatter.clientContextContext',
    Current: Name === current,
    Description: ellipsis(Metadata.Description ?? '', DESCRIPTION_WIDTH),
    DockerEndpoint: Endpoints.docker?.Host ?? '',
    Error: '',
    Name,
  };
}
