// Owns Docker's route table as data: which method and path is which call. Knows no handlers.

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** A call of the Engine API. `path` is without version; `{name}` matches any text, slashes included. */
export interface RouteSpec {
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  /** The connection may be taken over: `Upgrade` headers are honoured. */
  readonly hijack?: true;
}

/** Every route that this engine answers, by noun. Docker tries them in this order. */
export const ROUTES = [
  { id: 'ping', method: 'GET', path: '/_ping' },
  { id: 'pingHead', method: 'HEAD', path: '/_ping' },
  { id: 'containerList', method: 'GET', path: '/containers/json' },
  { id: 'containerTop', method: 'GET', path: '/containers/{name}/top' },
  { id: 'containerLogs', method: 'GET', path: '/containers/{name}/logs' },
  { id: 'containerAttachWebSocket', method: 'GET', path: '/containers/{name}/attach/ws', hijack: true },
  { id: 'containerInspect', method: 'GET', path: '/containers/{name}/json' },
  { id: 'execInspect', method: 'GET', path: '/exec/{name}/json' },
  { id: 'containerCreate', method: 'POST', path: '/containers/create' },
  { id: 'containerKill', method: 'POST', path: '/containers/{name}/kill' },
  { id: 'containerPause', method: 'POST', path: '/containers/{name}/pause' },
  { id: 'containerUnpause', method: 'POST', path: '/containers/{name}/unpause' },
  { id: 'containerRestart', method: 'POST', path: '/containers/{name}/restart' },
  { id: 'containerStart', method: 'POST', path: '/containers/{name}/start' },
  { id: 'containerStop', method: 'POST', path: '/containers/{name}/stop' },
  { id: 'containerWait', method: 'POST', path: '/containers/{name}/wait' },
  { id: 'containerResize', method: 'POST', path: '/containers/{name}/resize' },
  { id: 'containerAttach', method: 'POST', path: '/containers/{name}/attach', hijack: true },
  { id: 'execCreate', method: 'POST', path: '/containers/{name}/exec' },
  { id: 'execStart', method: 'POST', path: '/exec/{name}/start', hijack: true },
  { id: 'execResize', method: 'POST', path: '/exec/{name}/resize' },
  { id: 'containerRename', method: 'POST', path: '/containers/{name}/rename' },
  { id: 'containerPrune', method: 'POST', path: '/containers/prune' },
  { id: 'containerRemove', method: 'DELETE', path: '/containers/{name}' },
  { id: 'imageList', method: 'GET', path: '/images/json' },
  { id: 'imageSaveMany', method: 'GET', path: '/images/get' },
  { id: 'imageSave', method: 'GET', path: '/images/{name}/get' },
  { id: 'imageHistory', method: 'GET', path: '/images/{name}/history' },
  { id: 'imageInspect', method: 'GET', path: '/images/{name}/json' },
  { id: 'imageLoad', method: 'POST', path: '/images/load' },
  { id: 'imageCreate', method: 'POST', path: '/images/create' },
  { id: 'imageTag', method: 'POST', path: '/images/{name}/tag' },
  { id: 'imagePrune', method: 'POST', path: '/images/prune' },
  { id: 'imageRemove', method: 'DELETE', path: '/images/{name}' },
  { id: 'events', method: 'GET', path: '/events' },
  { id: 'info', method: 'GET', path: '/info' },
  { id: 'version', method: 'GET', path: '/version' },
  { id: 'diskUsage', method: 'GET', path: '/system/df' },
  { id: 'auth', method: 'POST', path: '/auth' },
  { id: 'volumeList', method: 'GET', path: '/volumes' },
  { id: 'volumeInspect', method: 'GET', path: '/volumes/{name}' },
  { id: 'volumeCreate', method: 'POST', path: '/volumes/create' },
  { id: 'volumePrune', method: 'POST', path: '/volumes/prune' },
  { id: 'volumeRemove', method: 'DELETE', path: '/volumes/{name}' },
  { id: 'networkList', method: 'GET', path: '/networks' },
  { id: 'networkListSlash', method: 'GET', path: '/networks/' },
  { id: 'networkInspect', method: 'GET', path: '/networks/{name}' },
  { id: 'pluginList', method: 'GET', path: '/plugins' },
  { id: 'pluginInspect', method: 'GET', path: '/plugins/{name}/json' },
  { id: 'swarmInspect', method: 'GET', path: '/swarm' },
  { id: 'swarmUnlockKey', method: 'GET', path: '/swarm/unlockkey' },
  { id: 'swarmLeave', method: 'POST', path: '/swarm/leave' },
  { id: 'serviceLogs', method: 'GET', path: '/services/{name}/logs' },
  { id: 'serviceList', method: 'GET', path: '/services' },
  { id: 'serviceInspect', method: 'GET', path: '/services/{name}' },
  { id: 'serviceCreate', method: 'POST', path: '/services/create' },
  { id: 'serviceUpdate', method: 'POST', path: '/services/{name}/update' },
  { id: 'serviceRemove', method: 'DELETE', path: '/services/{name}' },
  { id: 'nodeList', method: 'GET', path: '/nodes' },
  { id: 'nodeInspect', method: 'GET', path: '/nodes/{name}' },
  { id: 'nodeRemove', method: 'DELETE', path: '/nodes/{name}' },
  { id: 'taskLogs', method: 'GET', path: '/tasks/{name}/logs' },
  { id: 'taskList', method: 'GET', path: '/tasks' },
  { id: 'taskInspect', method: 'GET', path: '/tasks/{name}' },
  { id: 'secretList', method: 'GET', path: '/secrets' },
  { id: 'secretInspect', method: 'GET', path: '/secrets/{name}' },
  { id: 'secretCreate', method: 'POST', path: '/secrets/create' },
  { id: 'secretRemove', method: 'DELETE', path: '/secrets/{name}' },
  { id: 'configList', method: 'GET', path: '/configs' },
  { id: 'configInspect', method: 'GET', path: '/configs/{name}' },
  { id: 'configCreate', method: 'POST', path: '/configs/create' },
  { id: 'configRemove', method: 'DELETE', path: '/configs/{name}' },
] as const satisfies readonly RouteSpec[];

/** The name of a call. */
export type RouteId = (typeof ROUTES)[number]['id'];
