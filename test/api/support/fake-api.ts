// Owns an API server over the fake engine on a throwaway socket.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createApiServer } from '../../../src/api/index.ts';
import { createFakeEngine, type FakeEngine } from './fake-engine.ts';

export interface FakeApi {
  /** `unix:///…`. */
  readonly host: string;
  readonly socketPath: string;
  readonly fake: FakeEngine;
  readonly server: ApiServer;
  close(): Promise<void>;
}

export async function startFakeApi(): Promise<FakeApi> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-api-'));
  const socketPath = join(folder, 'api.sock');
  const fake = createFakeEngine();
  const server = createApiServer({ engine: fake.engine, facts: { version: '0.0.1', experimental: false } });
  const host = await server.listen({ kind: 'unix', path: socketPath });
  return {
    host,
    socketPath,
    fake,
    server,
    async close() {
      await server.close(100);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
