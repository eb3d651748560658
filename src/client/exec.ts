// Owns the exec calls of the Engine API.
import type { ExecCreateRequest, ExecInspectResponse, ExecStartRequest, IDResponse } from '../spec/docker/types.gen.ts';
import { encode } from './call.ts';
import type { TerminalSize } from './container-lifecycle.ts';
import type { Hijacked, Transport } from './transport.ts';

/** Methods for running a command in a running container. */
export type ExecClient = ReturnType<typeof createExecClient>;

/** The exec calls over `transport`. */
export function createExecClient(transport: Transport) {
  return {
    create: (containerId: string, body: ExecCreateRequest): Promise<IDResponse> =>
      transport.json({ method: 'POST', path: `/containers/${encode(containerId)}/exec`, body }),
    /** Starts without attaching. */
    startDetached: (execId: string, body: ExecStartRequest): Promise<void> =>
      transport.done({ method: 'POST', path: `/exec/${encode(execId)}/start`, body: { ...body, Detach: true } }),
    /** Starts and takes the connection over. */
    startAttached: (execId: string, body: ExecStartRequest): Promise<Hijacked> =>
      transport.hijack({ method: 'POST', path: `/exec/${encode(execId)}/start`, body: { ...body, Detach: false } }),
    inspect: (execId: string): Promise<ExecInspectResponse> =>
      transport.json({ method: 'GET', path: `/exec/${encode(execId)}/json` }),
    resize: (execId: string, size: TerminalSize): Promise<void> =>
      transport.done({
        method: 'POST',
        path: `/exec/${encode(execId)}/resize`,
        query: { h: size.rows, w: size.columns },
      }),
  };
}
