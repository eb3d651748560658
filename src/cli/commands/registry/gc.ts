// Owns `registry gc`.
import { registryGc } from '../../grammar/registry.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';

/** Collects garbage now. */
export const command: Command = {
  spec: registryGc,
  run: async (session, { flags }) => {
    const api = await connect(session, flags);
    const { blobs, bytes, uploads } = await api.call<{ blobs: number; bytes: number; uploads: number }>('POST', 'gc');
    session.line(`Removed ${blobs} blobs and ${uploads} abandoned uploads, reclaimed ${humanSize(bytes)}`);
    return 0;
  },
};
