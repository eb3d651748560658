// Owns the calls of the Engine API that change a container's state: start, stop, pause and the like. One method an endpoint.
import type { RouteId } from '../spec/docker/routes.ts';
import type { Transport } from './transport.ts';

/** How to stop: a signal name or number, and seconds until the kill (-1 for ever). */
export interface StopOptions {
  readonly signal?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** A terminal's size in character cells. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** The calls that change the state of a container. */
export function lifecycleCalls(transport: Transport) {
  const act = (name: string, route: RouteId, query?: Record<string, string | number | undefined>): Promise<void> =>
    transport.done({ route, name, query });
  return {
    start: (id: string): Promise<void> => ignoreNotModified(act(id, 'containerStart')),
    stop: (id: string, options: StopOptions = {}): Promise<void> =>
      ignoreNotModified(act(id, 'containerStop', { signal: options.signal || undefined, t: options.timeoutSeconds })),
    restart: (id: string, options: StopOptions = {}): Promise<void> =>
      act(id, 'containerRestart', { signal: options.signal || undefined, t: options.timeoutSeconds }),
    kill: (id: string, signal?: string): Promise<void> => act(id, 'containerKill', { signal: signal || undefined }),
    pause: (id: string): Promise<void> => act(id, 'containerPause'),
    unpause: (id: string): Promise<void> => act(id, 'containerUnpause'),
    rename: (id: string, name: string): Promise<void> => act(id, 'containerRename', { name }),
    resize: (id: string, size: TerminalSize): Promise<void> =>
      act(id, 'containerResize', { h: size.rows, w: size.columns }),
    remove: (
      id: string,
      options: { readonly volumes?: boolean; readonly link?: boolean; readonly force?: boolean } = {},
    ): Promise<void> =>
      transport.done({
        route: 'containerRemove',
        name: id,
        query: { force: options.force || undefined, link: options.link || undefined, v: options.volumes || undefined },
      }),
  };
}

/** To start a running container, or to stop a stopped one, is no failure. */
async function ignoreNotModified(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error && 'status' in error && error.status === 304)) throw error;
  }
}
