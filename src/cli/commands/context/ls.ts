// Owns `context ls`.
import { DEFAULT_CONTEXT, listContexts } from '../../config/contexts.ts';
import { DEFAULT_HOST } from '../../config/host.ts';
import { contextLs } from '../../grammar/context.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { ellipsis } from '../../render/units.ts';
import type { Command, Session } from '../../session.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';
import { currentContext } from './current.ts';

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
    const variable = ['GANTRY_HOST', 'DOCKER_HOST'].find((name) => session.env[name]);
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
  const stored = listContexts(session.config().folder).map((context) =>
    row(context.Name, context.Metadata.Description ?? '', context.Endpoints.docker?.Host ?? '', current),
  );
  const host = session.globals.list('host')[0] || session.env.GANTRY_HOST || session.env.DOCKER_HOST || DEFAULT_HOST;
  return [row(DEFAULT_CONTEXT, 'Current DOCKER_HOST based configuration', host, current), ...stored];
}

function row(name: string, description: string, host: string, current: string): TemplateMap {
  return {
    [TYPE_NAME]: '*formatter.clientContextContext',
    Current: name === current,
    Description: ellipsis(description, DESCRIPTION_WIDTH),
    DockerEndpoint: host,
    Error: '',
    Name: name,
  };
}
