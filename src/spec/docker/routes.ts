// Owns Docker's route table as data: which method and path is which call. Knows no handlers.

import type { BodyTypes } from './decode.ts';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** A call of the Engine API. `path` is without version; `{name}` matches any text, slashes included, a second `{}` one segment. */
export interface RouteSpec {
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  /** The connection may be taken over: `Upgrade` headers are honoured. */
  readonly hijack?: true;
  /** The schema of its JSON body. Its JSON answer is in `route-replies.ts`. */
  readonly body?: keyof BodyTypes;
  /** What it answers instead of JSON: framed output, JSON values one after another, or an archive. */
  readonly stream?: 'frames' | 'json-lines' | 'tar';
}

/** Every route of Docker's, by noun. Docker tries them in this order. */
export const ROUTES = [
  { id: 'ping', method: 'GET', path: '/_ping' },
  { id: 'pingHead', method: 'HEAD', path: '/_ping' },
  { id: 'containerList', method: 'GET', path: '/containers/json' },
  { id: 'containerStats', method: 'GET', path: '/containers/{name}/stats', stream: 'json-lines' },
  { id: 'containerChanges', method: 'GET', path: '/containers/{name}/changes' },
  { id: 'containerExport', method: 'GET', path: '/containers/{name}/export', stream: 'tar' },
  { id: 'containerArchive', method: 'GET', path: '/containers/{name}/archive', stream: 'tar' },
  { id: 'containerArchiveHead', method: 'HEAD', path: '/containers/{name}/archive' },
  { id: 'containerArchivePut', method: 'PUT', path: '/containers/{name}/archive' },
  { id: 'checkpointList', method: 'GET', path: '/containers/{name}/checkpoints' },
  { id: 'containerTop', method: 'GET', path: '/containers/{name}/top' },
  { id: 'containerLogs', method: 'GET', path: '/containers/{name}/logs', stream: 'frames' },
  { id: 'containerAttachWebSocket', method: 'GET', path: '/containers/{name}/attach/ws', hijack: true },
  { id: 'containerInspect', method: 'GET', path: '/containers/{name}/json' },
  { id: 'execInspect', method: 'GET', path: '/exec/{name}/json' },
  { id: 'containerCreate', method: 'POST', path: '/containers/create', body: 'ContainerCreateRequest' },
  { id: 'containerKill', method: 'POST', path: '/containers/{name}/kill' },
  { id: 'containerPause', method: 'POST', path: '/containers/{name}/pause' },
  { id: 'containerUnpause', method: 'POST', path: '/containers/{name}/unpause' },
  { id: 'containerRestart', method: 'POST', path: '/containers/{name}/restart' },
  { id: 'containerStart', method: 'POST', path: '/containers/{name}/start' },
  { id: 'containerStop', method: 'POST', path: '/containers/{name}/stop' },
  { id: 'containerWait', method: 'POST', path: '/containers/{name}/wait' },
  { id: 'containerResize', method: 'POST', path: '/containers/{name}/resize' },
  { id: 'containerAttach', method: 'POST', path: '/containers/{name}/attach', hijack: true, stream: 'frames' },
  { id: 'execCreate', method: 'POST', path: '/containers/{name}/exec', body: 'ExecCreateRequest' },
  {
    id: 'execStart',
    method: 'POST',
    path: '/exec/{name}/start',
    hijack: true,
    body: 'ExecStartRequest',
    stream: 'frames',
  },
  { id: 'execResize', method: 'POST', path: '/exec/{name}/resize' },
  { id: 'containerRename', method: 'POST', path: '/containers/{name}/rename' },
  { id: 'containerPrune', method: 'POST', path: '/containers/prune' },
  { id: 'containerUpdate', method: 'POST', path: '/containers/{name}/update', body: 'ContainerUpdateRequest' },
  { id: 'checkpointCreate', method: 'POST', path: '/containers/{name}/checkpoints' },
  { id: 'checkpointRemove', method: 'DELETE', path: '/containers/{name}/checkpoints/{checkpoint}' },
  { id: 'containerCommit', method: 'POST', path: '/commit' },
  { id: 'containerRemove', method: 'DELETE', path: '/containers/{name}' },
  { id: 'imageList', method: 'GET', path: '/images/json' },
  { id: 'imageSearch', method: 'GET', path: '/images/search' },
  { id: 'imageSaveMany', method: 'GET', path: '/images/get', stream: 'tar' },
  { id: 'imageSave', method: 'GET', path: '/images/{name}/get', stream: 'tar' },
  { id: 'imageHistory', method: 'GET', path: '/images/{name}/history' },
  { id: 'imageInspect', method: 'GET', path: '/images/{name}/json' },
  { id: 'imageLoad', method: 'POST', path: '/images/load', stream: 'json-lines' },
  { id: 'imageCreate', method: 'POST', path: '/images/create', stream: 'json-lines' },
  { id: 'imageTag', method: 'POST', path: '/images/{name}/tag' },
  { id: 'imagePush', method: 'POST', path: '/images/{name}/push', stream: 'json-lines' },
  { id: 'imagePrune', method: 'POST', path: '/images/prune' },
  { id: 'imageRemove', method: 'DELETE', path: '/images/{name}' },
  { id: 'distributionInspect', method: 'GET', path: '/distribution/{name}/json' },
  { id: 'build', method: 'POST', path: '/build', stream: 'json-lines' },
  { id: 'buildPrune', method: 'POST', path: '/build/prune' },
  { id: 'buildCancel', method: 'POST', path: '/build/cancel' },
  { id: 'session', method: 'POST', path: '/session' },
  { id: 'grpc', method: 'POST', path: '/grpc', hijack: true },
  { id: 'events', method: 'GET', path: '/events', stream: 'json-lines' },
  { id: 'info', method: 'GET', path: '/info' },
  { id: 'version', method: 'GET', path: '/version' },
  { id: 'diskUsage', method: 'GET', path: '/system/df' },
  { id: 'auth', method: 'POST', path: '/auth', body: 'AuthConfig' },
  { id: 'debug', method: 'GET', path: '/debug/{name}' },
  { id: 'volumeList', method: 'GET', path: '/volumes' },
  { id: 'volumeInspect', method: 'GET', path: '/volumes/{name}' },
  { id: 'volumeCreate', method: 'POST', path: '/volumes/create', body: 'VolumeCreateOptions' },
  { id: 'volumePrune', method: 'POST', path: '/volumes/prune' },
  { id: 'volumeRemove', method: 'DELETE', path: '/volumes/{name}' },
  { id: 'volumeUpdate', method: 'PUT', path: '/volumes/{name}' },
  { id: 'networkList', method: 'GET', path: '/networks' },
  { id: 'networkListSlash', method: 'GET', path: '/networks/' },
  { id: 'networkInspect', method: 'GET', path: '/networks/{name}' },
  { id: 'networkCreate', method: 'POST', path: '/networks/create', body: 'NetworkCreateRequest' },
  { id: 'networkConnect', method: 'POST', path: '/networks/{name}/connect', body: 'NetworkConnectRequest' },
  { id: 'networkDisconnect', method: 'POST', path: '/networks/{name}/disconnect', body: 'NetworkDisconnectRequest' },
  { id: 'networkPrune', method: 'POST', path: '/networks/prune' },
  { id: 'networkRemove', method: 'DELETE', path: '/networks/{name}' },
  { id: 'pluginList', method: 'GET', path: '/plugins' },
  { id: 'pluginInspect', method: 'GET', path: '/plugins/{name}/json' },
  { id: 'pluginPrivileges', method: 'GET', path: '/plugins/privileges' },
  { id: 'pluginPull', method: 'POST', path: '/plugins/pull' },
  { id: 'pluginCreate', method: 'POST', path: '/plugins/create' },
  { id: 'pluginEnable', method: 'POST', path: '/plugins/{name}/enable' },
  { id: 'pluginDisable', method: 'POST', path: '/plugins/{name}/disable' },
  { id: 'pluginPush', method: 'POST', path: '/plugins/{name}/push' },
  { id: 'pluginUpgrade', method: 'POST', path: '/plugins/{name}/upgrade' },
  { id: 'pluginSet', method: 'POST', path: '/plugins/{name}/set' },
  { id: 'pluginRemove', method: 'DELETE', path: '/plugins/{name}' },
  { id: 'swarmInspect', method: 'GET', path: '/swarm' },
  { id: 'swarmUnlockKey', method: 'GET', path: '/swarm/unlockkey' },
  { id: 'swarmLeave', method: 'POST', path: '/swarm/leave' },
  { id: 'swarmInit', method: 'POST', path: '/swarm/init' },
  { id: 'swarmJoin', method: 'POST', path: '/swarm/join' },
  { id: 'swarmUpdate', method: 'POST', path: '/swarm/update' },
  { id: 'swarmUnlock', method: 'POST', path: '/swarm/unlock' },
  { id: 'serviceLogs', method: 'GET', path: '/services/{name}/logs' },
  { id: 'serviceList', method: 'GET', path: '/services' },
  { id: 'serviceInspect', method: 'GET', path: '/services/{name}' },
  { id: 'serviceCreate', method: 'POST', path: '/services/create' },
  { id: 'serviceUpdate', method: 'POST', path: '/services/{name}/update' },
  { id: 'serviceRemove', method: 'DELETE', path: '/services/{name}' },
  { id: 'nodeList', method: 'GET', path: '/nodes' },
  { id: 'nodeInspect', method: 'GET', path: '/nodes/{name}' },
  { id: 'nodeRemove', method: 'DELETE', path: '/nodes/{name}' },
  { id: 'nodeUpdate', method: 'POST', path: '/nodes/{name}/update' },
  { id: 'taskLogs', method: 'GET', path: '/tasks/{name}/logs' },
  { id: 'taskList', method: 'GET', path: '/tasks' },
  { id: 'taskInspect', method: 'GET', path: '/tasks/{name}' },
  { id: 'secretList', method: 'GET', path: '/secrets' },
  { id: 'secretInspect', method: 'GET', path: '/secrets/{name}' },
  { id: 'secretCreate', method: 'POST', path: '/secrets/create' },
  { id: 'secretRemove', method: 'DELETE', path: '/secrets/{name}' },
  { id: 'secretUpdate', method: 'POST', path: '/secrets/{name}/update' },
  { id: 'configList', method: 'GET', path: '/configs' },
  { id: 'configInspect', method: 'GET', path: '/configs/{name}' },
  { id: 'configCreate', method: 'POST', path: '/configs/create' },
  { id: 'configRemove', method: 'DELETE', path: '/configs/{name}' },
  { id: 'configUpdate', method: 'POST', path: '/configs/{name}/update' },
] as const satisfies readonly RouteSpec[];

/** The name of a call. */
export type RouteId = (typeof ROUTES)[number]['id'];

/** The routes that take a JSON body. */
export type RouteWithBody = Extract<(typeof ROUTES)[number], { readonly body: string }>;
