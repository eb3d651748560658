// The face of the typed Engine API client: what programs and the command line import to reach a daemon.
import { type ContainersClient, createContainersClient } from './containers.ts';
import { createExecClient, type ExecClient } from './exec.ts';
import { createImagesClient, type ImagesClient } from './images.ts';
import { createNetworksClient, type NetworksClient } from './networks.ts';
import { createSystemClient, type EventsOptions, openEvents, type SystemClient } from './system.ts';
import { Transport, type TransportOptions } from './transport.ts';
import { createVolumesClient, type VolumesClient } from './volumes.ts';

export type { PathStat } from './container-archive.ts';
export type { StopOptions, TerminalSize } from './container-lifecycle.ts';
export { ApiError, isApiError } from './errors.ts';
export { parseExactJson } from './exact-json.ts';
export { FetchSender } from './fetch-sender.ts';
export type { ProgressMessage, ProgressStream } from './image-content.ts';
export type { Filters } from './json-lines.ts';
export type { TlsOptions } from './node-sender.ts';
export type { DaemonEvent, ForeignKind } from './system.ts';
export type { CallObserver, Hijacked, TransportOptions } from './transport.ts';
export { CLIENT_API_VERSION } from './transport.ts';

/** A daemon's API, by noun. Connects on first use. */
export interface Client extends Disposable {
  readonly host: string;
  readonly containers: ContainersClient;
  readonly exec: ExecClient;
  readonly images: ImagesClient;
  readonly networks: NetworksClient;
  readonly volumes: VolumesClient;
  readonly system: SystemClient;
  /** Opens the event stream; see `openEvents`. */
  events(options?: EventsOptions): ReturnType<typeof openEvents>;
  /** The API version in use. */
  apiVersion(): Promise<string>;
  /** Closes kept-alive connections. */
  close(): void;
}

/** A client of the daemon at `options.host`. @throws HOST_INVALID when the address cannot be read */
export function createClient(options: TransportOptions): Client {
  const transport = new Transport(options);
  return {
    host: options.host,
    containers: createContainersClient(transport),
    exec: createExecClient(transport),
    images: createImagesClient(transport),
    networks: createNetworksClient(transport),
    volumes: createVolumesClient(transport),
    system: createSystemClient(transport),
    events: (eventsOptions) => openEvents(transport, eventsOptions),
    apiVersion: () => transport.version(),
    close: () => transport.close(),
    [Symbol.dispose]: () => transport.close(),
  };
}

export {
  createRegistryApi,
  isNoTls,
  isNotVerified,
  type RegistryApi,
  RegistryRequestError,
  type RegistryTls,
} from './registry.ts';
