// Owns the context in force, and the default one, which lies in no file.
import type { TlsOptions } from '../../../client/index.ts';
import { readStoredContext, type StoredContext, type TlsFiles } from '../../config/context-store.ts';
import { type ContextMetadata, DEFAULT_CONTEXT } from '../../config/contexts.ts';
import { chooseContext, defaultTls, givenHost } from '../../config/host.ts';
import type { Session } from '../../session.ts';

/** What the default context is described as when it is shown or copied. @source docker 28.2.2 */
export const DEFAULT_DESCRIPTION = 'Current DOCKER_HOST based configuration';

/** The name, after flags, environment and config.json. */
export function currentContext(session: Session): string {
  return chooseContext(session.globals, session.env, session.config());
}

/** The default context as it would be stored. */
export function defaultMetadata(session: Session, skipVerify = false): ContextMetadata {
  return {
    Name: DEFAULT_CONTEXT,
    Metadata: {},
    Endpoints: { docker: { Host: givenHost(session.globals, session.env), SkipTLSVerify: skipVerify } },
  };
}

/** All of a context. @throws CommandFailure (1) when there is none of that name */
export function wholeContext(session: Session, name: string): StoredContext {
  if (name !== DEFAULT_CONTEXT) return readStoredContext(session.config().folder, name);
  const tls = defaultTls(session.globals, session.env, session.config());
  return { metadata: defaultMetadata(session, tls?.verify === false), tls: filesOf(tls) };
}

function filesOf(tls: TlsOptions | undefined): TlsFiles {
  const texts = { 'ca.pem': tls?.ca, 'cert.pem': tls?.cert, 'key.pem': tls?.key };
  const files = Object.entries(texts).flatMap(([name, text]): [string, Buffer][] =>
    text === undefined ? [] : [[name, Buffer.from(text)]],
  );
  return files.length === 0 ? {} : { docker: Object.fromEntries(files) };
}

/** `metadata` described otherwise; an empty description is none. */
export function withDescription(metadata: ContextMetadata, description: string): ContextMetadata {
  const { Description: _, ...rest } = metadata.Metadata;
  return { ...metadata, Metadata: description === '' ? rest : { Description: description, ...rest } };
}

/** The variable that names a daemon and so overrides the context; undefined when none does. */
export function overridingVariable({ env }: Session): string | undefined {
  return ['GANTRY_HOST', 'DOCKER_HOST'].find((name) => env[name]);
}
