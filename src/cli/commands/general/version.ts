// Owns `version`.
import { arch, platform } from 'node:os';
import { CLIENT_API_VERSION } from '../../../client/index.ts';
import { VERSION } from '../../../lib/package.ts';
import type { SystemVersion } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { version } from '../../grammar/system.table.ts';
import type { Command, Session } from '../../session.ts';
import { dockerValue, evaluateTemplate, FUNCTION_NAMES, parseTemplate, TemplateError } from '../../template/index.ts';

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Prints the versions of client and daemon; without a daemon the client's, and exit code 1. */
export const command: Command = {
  spec: version,
  run: async (session, { flags }) => {
    const template = readTemplate(flags.text('format'));
    let server: SystemVersion | undefined;
    let failure: unknown;
    try {
      server = await session.client().system.version();
    } catch (error) {
      failure = error;
    }
    const client = await clientVersion(session, server !== undefined);
    if (template === undefined) session.out(versionText(client, server));
    else session.out(runTemplate(template, session, client, server));
    if (failure !== undefined) throw failure;
    return 0;
  },
};

interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

async function clientVersion(session: Session, reachable: boolean): Promise<ClientVersion> {
  return {
    Version: VERSION,
    ApiVersion: reachable ? await session.client().apiVersion() : CLIENT_API_VERSION,
    DefaultAPIVersion: CLIENT_API_VERSION,
    GitCommit: '',
    GoVersion: `node${process.version.slice(1)}`,
    Os: platform(),
    Arch: GO_ARCHITECTURES[arch()] ?? arch(),
    BuildTime: '',
    Context: session.chosenHost().context,
  };
}

function readTemplate(format: string): ReturnType<typeof parseTemplate> | undefined {
  if (format === '') return undefined;
  try {
    return parseTemplate(format === 'json' ? '{{json .}}' : format, FUNCTION_NAMES, 'version');
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `template parsing error: ${error.message}`, error.hint);
  }
}

function runTemplate(
  template: ReturnType<typeof parseTemplate>,
  session: Session,
  client: ClientVersion,
  server: SystemVersion | undefined,
): string {
  const data = dockerValue('system.versionInfo', { Client: client, Server: server && withBuildDates(server) });
  try {
    return `${evaluateTemplate(template, data)}\n`;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    session.out(`${error.partial}\n`);
    throw new CommandFailure(1, error.message, error.hint);
  }
}

function versionText(client: ClientVersion, server: SystemVersion | undefined): string {
  const apiText =
    client.ApiVersion === client.DefaultAPIVersion
      ? client.ApiVersion
      : `${client.ApiVersion} (downgraded from ${client.DefaultAPIVersion})`;
  let text = 'Client:\n';
  text += row(1, 'Version', client.Version);
  text += row(1, 'API version', apiText);
  text += row(1, 'Node version', process.version.slice(1));
  text += row(1, 'OS/Arch', `${client.Os}/${client.Arch}`);
  text += row(1, 'Context', client.Context);
  return server === undefined ? text : `${text}\nServer:${serverText(server)}`;
}

function serverText(server: SystemVersion): string {
  const platformName = server.Platform?.Name ?? '';
  let text = platformName === '' ? '\n' : ` ${platformName}\n`;
  const components = server.Components ?? [engineComponent(server)];
  for (const component of components) {
    text += ` ${component.Name}:\n`;
    text += row(2, 'Version', component.Version ?? '');
    const details = (component.Details ?? {}) as Readonly<Record<string, string>>;
    if (component.Name === 'Engine') {
      text += row(2, 'API version', `${details.ApiVersion ?? ''} (minimum version ${details.MinAPIVersion ?? ''})`);
      text += row(2, 'Go version', details.GoVersion ?? '');
      text += row(2, 'Git commit', details.GitCommit ?? '');
      text += row(2, 'Built', buildDate(details.BuildTime ?? ''));
      text += row(2, 'OS/Arch', `${details.Os ?? ''}/${details.Arch ?? ''}`);
      text += row(2, 'Experimental', details.Experimental ?? 'false');
    } else {
      text += Object.keys(details)
        .sort()
        .map((name) => row(2, name, details[name] ?? ''))
        .join('');
    }
  }
  return text;
}

/** The daemon's version, its parts with build times as people read them. */
function withBuildDates(server: SystemVersion): SystemVersion {
  const components = (server.Components ?? [engineComponent(server)]).map((component) =>
    component.Details ? { ...component, Details: withBuildDate(component.Details) } : component,
  );
  return { ...server, Components: components };
}

function withBuildDate(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typeof details.BuildTime === 'string'
    ? { ...details, BuildTime: buildDate(details.BuildTime) }
    : { ...details };
}

/** `Tue Sep 15 11:02:57 2026`, Go's ANSIC form; a text that is no time stays. */
function buildDate(text: string): string {
  const date = new Date(text);
  if (text === '' || Number.isNaN(date.getTime())) return text;
  const [weekday = '', day = '', month = '', year = ''] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${date.toISOString().slice(11, 19)} ${year}`;
}

/** Daemons before 1.35 send no components. */
function engineComponent(server: SystemVersion): NonNullable<SystemVersion['Components']>[number] {
  return {
    Name: 'Engine',
    Version: server.Version ?? '',
    Details: {
      ApiVersion: server.ApiVersion ?? '',
      MinAPIVersion: server.MinAPIVersion ?? '',
      GoVersion: server.GoVersion ?? '',
      GitCommit: server.GitCommit ?? '',
      BuildTime: server.BuildTime ?? '',
      Os: server.Os ?? '',
      Arch: server.Arch ?? '',
      Experimental: String(server.Experimental ?? false),
    },
  };
}

/** ` Name:   value`, values in one column. */
function row(depth: number, name: string, value: string): string {
  return `${' '.repeat(depth)}${`${name}:`.padEnd(20 - depth)}${value}\n`;
}
