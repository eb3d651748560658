// Owns how the newest version's replies become an older client's. Pure; the handlers know 1.51 only.

import type { RouteId } from '../../spec/docker/routes.ts';
import { ZERO_TIME } from '../../spec/time.ts';

type Json = Readonly<Record<string, unknown>>;

interface ReplyStep {
  /** Applies to clients older than this minor version. */
  readonly below: number;
  readonly change: (value: Json) => Json;
}

/** @source dockerd 28.5.2, the same objects asked for in every version from 1.24 to 1.51 */
const STEPS: Partial<Readonly<Record<RouteId, readonly ReplyStep[]>>> = {
  imageInspect: [
    { below: 50, change: (image) => ({ ...image, Config: withRuntimeFields(image.Config as Json) }) },
    { below: 45, change: withContainerConfig },
    { below: 44, change: withCreated },
    { below: 44, change: withVirtualSize },
  ],
  imageList: [
    { below: 51, change: (image) => ({ ...image, Containers: -1 }) },
    { below: 44, change: (image) => ({ ...image, VirtualSize: image.Size }) },
    { below: 43, change: withNoneNames },
  ],
  diskUsage: [
    {
      below: 44,
      change: (usage) => ({ ...usage, Images: mapList(usage.Images, (i) => ({ ...i, VirtualSize: i.Size })) }),
    },
  ],
  containerList: [{ below: 46, change: withoutAnnotations }],
  info: [
    { below: 50, change: (info) => ({ ...info, BridgeNfIptables: false, BridgeNfIp6tables: false }) },
    { below: 49, change: without('FirewallBackend') },
    { below: 49, change: withExpectedCommits },
    { below: 47, change: withRegistryLeftovers },
    { below: 46, change: without('Containerd') },
    { below: 44, change: withoutRuntimeStatus },
    { below: 42, change: insertAfter('Isolation', 'KernelMemory', () => true) },
    { below: 25, change: (info) => ({ ...info, SecurityOptions: mapTexts(info.SecurityOptions, securityName) }) },
  ],
};

/** `value` as a client of API 1.`minor` knows it; lists are changed item by item. */
export function downgradeReply(route: RouteId, minor: number, value: unknown): unknown {
  const steps = STEPS[route];
  if (steps === undefined) return value;
  const change = (item: unknown): unknown =>
    steps.reduce((now, step) => (minor < step.below ? step.change(now) : now), item as Json);
  return Array.isArray(value) ? value.map(change) : change(value);
}

function without(field: string): (value: Json) => Json {
  return (value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== field));
}

function insertAfter(field: string, name: string, make: (value: Json) => unknown): (value: Json) => Json {
  return (value) => {
    const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] =>
      key === field
        ? [
            [key, item],
            [name, make(value)],
          ]
        : [[key, item]],
    );
    return Object.fromEntries(entries);
  };
}

function mapList(list: unknown, change: (item: Json) => Json): unknown {
  return Array.isArray(list) ? list.map(change) : list;
}

function mapTexts(list: unknown, change: (text: string) => string): unknown {
  return Array.isArray(list) ? list.map((item) => change(String(item))) : list;
}

const RUNTIME_FIELDS: Json = {
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
};

/** Before 1.50 an image's config had a container's fields. */
function withRuntimeFields(config: Json): Json {
  return Object.fromEntries(Object.entries({ ...RUNTIME_FIELDS, ...config }).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const EMPTY_CONTAINER_CONFIG: Json = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
};

function withContainerConfig(image: Json): Json {
  const before = image.Created === undefined ? 'Comment' : 'Created';
  return insertAfter(before, 'ContainerConfig', () => EMPTY_CONTAINER_CONFIG)(image);
}

/** Before 1.44 an image without a date had Go's zero time. */
function withCreated(image: Json): Json {
  return image.Created === undefined ? insertAfter('Comment', 'Created', () => ZERO_TIME)(image) : image;
}

/** An image of nothing has none. */
function withVirtualSize(image: Json): Json {
  return image.Size === 0 ? image : insertAfter('Size', 'VirtualSize', () => image.Size)(image);
}

function withNoneNames(image: Json): Json {
  const tags = image.RepoTags as readonly string[];
  const digests = image.RepoDigests as readonly string[];
  if (tags.length === 0 && digests.length === 0) {
    return { ...image, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
  }
  return { ...image, RepoDigests: digests.length === 0 ? null : digests };
}

function withExpectedCommits(info: Json): Json {
  const expected = (commit: unknown): unknown => {
    const id = (commit as Json | undefined)?.ID;
    return id === undefined || id === '' ? commit : { ID: id, Expected: id };
  };
  return {
    ...info,
    ContainerdCommit: expected(info.ContainerdCommit),
    RuncCommit: expected(info.RuncCommit),
    InitCommit: expected(info.InitCommit),
  };
}

function withRegistryLeftovers(info: Json): Json {
  const leftovers = { AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null };
  return { ...info, RegistryConfig: { ...leftovers, ...(info.RegistryConfig as Json) } };
}

function withoutAnnotations(container: Json): Json {
  return { ...container, HostConfig: without('Annotations')(container.HostConfig as Json) };
}

function withoutRuntimeStatus(info: Json): Json {
  const runtimes = Object.entries((info.Runtimes ?? {}) as Record<string, Json>);
  return {
    ...info,
    Runtimes: Object.fromEntries(runtimes.map(([name, runtime]) => [name, without('status')(runtime)])),
  };
}

function securityName(option: string): string {
  return /(?:^|,)name=([^,]+)/.exec(option)?.[1] ?? option;
}
