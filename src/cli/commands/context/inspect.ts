// Owns `context inspect`.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ContextMetadata, contextFolders, DEFAULT_CONTEXT, readContext } from '../../config/contexts.ts';
import { DEFAULT_HOST } from '../../config/host.ts';
import { contextInspect } from '../../grammar/context.table.ts';
import type { Command, Session } from '../../session.ts';
import { escapeHtml } from '../../template/go/json.ts';
import { inspectObjects } from '../inspect-objects.ts';
import { currentContext } from './current.ts';

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
  const host = session.globals.list('host')[0] || session.env.GANTRY_HOST || session.env.DOCKER_HOST || DEFAULT_HOST;
  return view(
    { Name: DEFAULT_CONTEXT, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } },
    {},
    {
      MetadataPath: IN_MEMORY,
      TLSPath: IN_MEMORY,
    },
  );
}

function storedContext(session: Session, name: string): unknown {
  const { folder } = session.config();
  const { meta, tls } = contextFolders(folder, name);
  const certificates = join(tls, 'docker');
  const material = existsSync(certificates) ? { docker: readdirSync(certificates) } : {};
  return view(readContext(folder, name), material, { MetadataPath: meta, TLSPath: tls });
}

function view(context: ContextMetadata, material: unknown, storage: unknown): unknown {
  return {
    Name: context.Name,
    Metadata: context.Metadata,
    Endpoints: context.Endpoints,
    TLSMaterial: material,
    Storage: storage,
  };
}
