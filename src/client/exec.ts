// Owns the exec calls of the Engine API.
import type { ExecCreateRequest, ExecInspectResponse, ExecStartRequest, IDResponse } from '../spec/docker/types.gen.ts';
import type { TerminalSize } from './container-lifecycle.ts';
import type { Hijacked, Transport } from './transport.ts';

/** Methods for running a command in a running container. */
export type ExecClient = ReturnType<typeof createExecClient>;

/** The exec calls over `transport`. */
export function createExecClient(transport: Transport) {
  return {
    create: (containerId: string, body: ExecCreateRequest): Promise<IDResponse> =>
      transport.json({ route: 'execCreate', name: containerId, body }),
    /** Starts without attaching. */
    startDetached: (execId: string, body: ExecStartRequest): Promise<void> =>
      transport.done({ route: 'execStart', name: execId, body: { ...body, Detach: true } }),
    /** Starts and takes the connection over. */
    startAttached: (execId: string, body: ExecStartRequest): Promise<Hijacked> =>
      transport.hijack({ route: 'execStart', name: execId, body: { ...body, Detach: false } }),
    inspect: (execId: string): Promise<ExecInspectResponse> => transport.json({ route: 'execInspect', name: execId }),
    resize: (execId: string, size: TerminalSize): Promise<void> =>
      transport.done({
        route: 'execResize',
        name: execId,
        query: { h: size.rows, w: size.columns },
      }),
  };
}
