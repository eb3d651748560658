// Owns `context update`.
import { checkContextName, readStoredContext, writeStoredContext } from '../../config/context-store.ts';
import { contextUpdate } from '../../grammar/context.table.ts';
import type { Command } from '../../session.ts';
import { withDescription } from './current.ts';
import { readEndpoint } from './endpoint.ts';

/** Changes a stored context: its description, or its endpoint as a whole. */
export const command: Command = {
  spec: contextUpdate,
  run: async (session, { flags, args }) => {
    const name = args[0] ?? '';
    const { folder } = session.config();
    checkContextName(name);
    let { metadata, tls } = readStoredContext(folder, name);
    const description = flags.text('description');
    if (description !== '') metadata = withDescription(metadata, description);
    if (flags.changed('docker')) {
      const read = readEndpoint(session, flags.list('docker'));
      metadata = { ...metadata, Endpoints: { ...metadata.Endpoints, docker: read.endpoint } };
      const { docker: _, ...others } = tls;
      tls = { ...others, ...read.tls };
    }
    writeStoredContext(folder, { metadata, tls });
    session.line(name);
    session.warn(`Successfully updated context "${name}"`);
    return 0;
  },
};
