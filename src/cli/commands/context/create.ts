// Owns `context create`.
import { checkNewContextName, type StoredContext, writeStoredContext } from '../../config/context-store.ts';
import { DEFAULT_CONTEXT } from '../../config/contexts.ts';
import { CommandFailure } from '../../failure.ts';
import { contextCreate } from '../../grammar/context.table.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { currentContext, DEFAULT_DESCRIPTION, wholeContext, withDescription } from './current.ts';
import { readEndpoint } from './endpoint.ts';

/** Stores a new context: of `--docker`, or a copy of another, or of the one in force. */
export const command: Command = {
  spec: contextCreate,
  run: async (session, { flags, args }) => {
    const name = args[0] ?? '';
    const { folder } = session.config();
    const [from, given] = [flags.text('from'), flags.changed('docker')];
    checkNewContextName(folder, name);
    if (from !== '' && given) throw new CommandFailure(1, 'cannot use --docker flag when --from is set');
    const { metadata, tls } = given
      ? described(session, flags)
      : copied(session, from === '' ? currentContext(session) : from, flags.text('description'));
    writeStoredContext(folder, { metadata: { ...metadata, Name: name }, tls });
    session.line(name);
    session.warn(`Successfully created context "${name}"`);
    return 0;
  },
};

function described(session: Session, flags: Invocation['flags']): StoredContext {
  const { endpoint, tls } = readEndpoint(session, flags.list('docker'));
  const metadata = { Name: '', Metadata: {}, Endpoints: { docker: endpoint } };
  return { metadata: withDescription(metadata, flags.text('description')), tls };
}

function copied(session: Session, from: string, description: string): StoredContext {
  const { metadata, tls } = wholeContext(session, from);
  const before = from === DEFAULT_CONTEXT ? DEFAULT_DESCRIPTION : (metadata.Metadata.Description ?? '');
  return { metadata: withDescription(metadata, description || before), tls };
}
