// Owns what each route takes and answers, as types: the one description that handlers, client and version tables follow.

import type { BodyTypes } from './decode.ts';
import type { RouteId, RouteWithBody } from './routes.ts';
import type * as Docker from './types.gen.ts';

/** The JSON that a route answers. A route without a row answers nothing, text, or a stream. @source Docker Engine API 1.51 */
interface Replies {
  auth: { readonly Status: string; readonly IdentityToken: string };
  buildPrune: { readonly CachesDeleted?: readonly string[] | null; readonly SpaceReclaimed?: number };
  containerCreate: Docker.ContainerCreateResponse;
  containerInspect: Docker.ContainerInspectResponse;
  containerList: readonly Docker.ContainerSummary[];
  containerPrune: { readonly ContainersDeleted?: readonly string[] | null; readonly SpaceReclaimed?: number };
  containerTop: Docker.ContainerTopResponse;
  containerUpdate: Docker.ContainerUpdateResponse;
  containerWait: Docker.ContainerWaitResponse;
  diskUsage: DiskUsage;
  execCreate: Docker.IDResponse;
  execInspect: Docker.ExecInspectResponse;
  imageHistory: readonly Docker.ImageHistoryItem[];
  imageInspect: Docker.ImageInspect;
  imageList: readonly Docker.ImageSummary[];
  imagePrune: {
    readonly ImagesDeleted?: readonly Docker.ImageDeleteResponseItem[] | null;
    readonly SpaceReclaimed?: number;
  };
  imageRemove: readonly Docker.ImageDeleteResponseItem[];
  imageSearch: readonly ImageSearchItem[];
  info: Docker.SystemInfo;
  networkCreate: Docker.NetworkCreateResponse;
  networkInspect: Docker.Network;
  networkList: readonly Docker.Network[];
  networkListSlash: readonly Docker.Network[];
  networkPrune: { readonly NetworksDeleted?: readonly string[] | null };
  pluginList: readonly unknown[];
  version: Docker.SystemVersion;
  volumeCreate: Docker.Volume;
  volumeInspect: Docker.Volume;
  volumeList: Docker.VolumeListResponse;
  volumePrune: { readonly VolumesDeleted?: readonly string[] | null; readonly SpaceReclaimed?: number };
}

/** What `GET /system/df` answers; the kinds that were not asked for are null. */
export interface DiskUsage {
  readonly LayersSize?: number | undefined;
  readonly Images?: readonly Docker.ImageSummary[] | null | undefined;
  readonly Containers?: readonly Docker.ContainerSummary[] | null | undefined;
  readonly Volumes?: readonly Docker.Volume[] | null | undefined;
  readonly BuildCache?: readonly Docker.BuildCache[] | null | undefined;
}

/** One line of a search. */
export interface ImageSearchItem {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated?: boolean | undefined;
}

/** The JSON that `Route` answers. */
export type ReplyOf<Route extends RouteId> = Route extends keyof Replies ? Replies[Route] : never;

/** The JSON that `Route` takes; `unknown` where its schema is not known here. */
export type BodyOf<Route extends RouteId> = Route extends RouteWithBody['id']
  ? BodyTypes[Extract<RouteWithBody, { readonly id: Route }>['body']]
  : unknown;
