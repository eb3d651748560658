// Owns `context inspect`.
import { readStoredContext } from '../../config/context-store.ts';
import { type ContextMetadata, contextFolders, DEFAULT_CONTEXT } from '../../config/contexts.ts';
import { contextInspect } from '../../grammar/context.table.ts';
import type { Command, Session } from '../../session.ts';
import { escapeHtml } from '../../template/go/json.ts';
import { inspectObjects } from '../inspect-objects.ts';
import { currentContext, defaultMetadata } from './current.ts';

const IN_MEMORY = '<IN MEMORY>';

/** Shows everything about contexts; the current one when none is named. */
export const command: Command = {
  spec: contextInspect,
  run: (session, { flags, args }) => {
    const names = args.length === 0 ? [currentContext(session)] : args;
    return inspectObjects(session, names, flags.text('format'), async (name) => ({
      kind: 'context',
      typedOnly: true,
      json: escapeHtml(
        JSON.stringify(name === DEFAULT_CONTEXT ? defaultContext(session) : storedContext(session, name)),
      ),
    }));
  },
};

function defaultContext(session: Session): unknown {
  return view(defaultMetadata(session), {}, { MetadataPath: IN_MEMORY, TLSPath: IN_MEMORY });
}

function storedContext(session: Session, name: string): unknown {
  const { folder } = session.config();
  const { meta, tls } = contextFolders(folder, name);
  const { metadata, tls: files } = readStoredContext(folder, name);
  const material = Object.entries(files).map(([endpoint, byName]) => [endpoint, Object.keys(byName)]);
  return view(metadata, Object.fromEntries(material), { MetadataPath: meta, TLSPath: tls });
}

function view({ Name, Metadata, Endpoints }: ContextMetadata, material: unknown, storage: unknown): unknown {
  const { docker, ...others } = Endpoints;
  return {
    Name,
    Metadata,
    Endpoints: {
      ...(docker === undefined ? {} : { docker: { ...docker, SkipTLSVerify: docker.SkipTLSVerify ?? false } }),
      ...others,
    },
    TLSMaterial: material,
    Storage: storage,
  };
}
