// Owns what a row of `ps` shows: fields, headings and wording.
import type { ContainerSummary, Port } from '../../../spec/docker/types.gen.ts';
import { familiarReference, parseReference } from '../../../spec/reference.ts';
import { goQuote } from '../../grammar/go-text.ts';

import type { ListStyle } from '../../render/list.ts';
import { agoText, ellipsis, goTimeText, humanSize, shortId } from '../../render/units.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

/** Formats of `ps`; `withSize` adds the size column. @source docker 28.2.2 */
export function containerListStyle(withSize: boolean): ListStyle {
  return {
    table: `{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}${withSize ? '\\t{{.Size}}' : ''}`,
    quiet: '{{.ID}}',
    failures: { parse: 'failed to parse template', run: 'failed to execute template' },
    raw: `container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n${withSize ? 'size: {{.Size}}\n' : ''}`,
    headings: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      Mounts: 'MOUNTS',
      LocalVolumes: 'LOCAL VOLUMES',
      Networks: 'NETWORKS',
      Platform: 'PLATFORM',
    },
  };
}

/** One row; `trunc` shortens ids, commands and names. */
export function containerRow(container: ContainerSummary, trunc: boolean, nowMs: number): TemplateMap {
  const labels = container.Labels ?? {};
  return {
    [TYPE_NAME]: '*formatter.ContainerContext',
    Command: () => goQuote(trunc ? ellipsis(container.Command ?? '', COMMAND_WIDTH) : (container.Command ?? '')),
    CreatedAt: () => goTimeText(container.Created ?? 0),
    ID: () => (trunc ? shortId(container.Id ?? '') : (container.Id ?? '')),
    Image: () => imageText(container, trunc),
    Labels: () =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(','),
    Label: (name: unknown) => labels[String(name)] ?? '',
    LocalVolumes: () => String((container.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
    Mounts: () => mountsText(container, trunc),
    Names: () => namesText(container.Names ?? [], trunc),
    Networks: () => Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
    Platform: () => platformOf(container),
    Ports: () => portsText(container.Ports ?? []),
    RunningFor: () => agoText(container.Created ?? 0, nowMs),
    Size: () => sizeText(container),
    State: () => container.State ?? '',
    Status: () => container.Status ?? '',
  };
}

function imageText(container: ContainerSummary, trunc: boolean): string {
  const image = container.Image ?? '';
  if (image === '') return '<no image>';
  if (!trunc) return image;
  const id = shortId(container.ImageID ?? '');
  return id === shortId(image) ? id : familiarImage(image);
}

/** Familiar, its digest left out; text that is no name stays. */
function familiarImage(text: string): string {
  try {
    return familiarReference({ ...parseReference(text), digest: undefined });
  } catch {
    return text;
  }
}

function platformOf(container: ContainerSummary): unknown {
  const platform = container.ImageManifestDescriptor?.platform;
  if (platform === undefined || platform === null) return null;
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

function namesText(names: readonly string[], trunc: boolean): string {
  const bare = names.map((name) => name.replace(/^\//, ''));
  return trunc ? (bare.find((name) => !name.includes('/')) ?? '') : bare.join(',');
}

function mountsText(container: ContainerSummary, trunc: boolean): string {
  return (container.Mounts ?? [])
    .map((mount) => mount.Name || mount.Source || '')
    .map((name) => (trunc ? ellipsis(name, MOUNT_WIDTH) : name))
    .join(',');
}

function sizeText(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0);
  const all = container.SizeRootFs ?? 0;
  return all > 0 ? `${own} (virtual ${humanSize(all)})` : own;
}

/**
 * Ports as one text: neighbours with equal host port run together, e.g. `0.0.0.0:80-81->80-81/tcp`.
 * @source docker 28.2.2 DisplayablePorts
 */
function portsText(ports: readonly Port[]): string {
  const groups = new Map<string, { first: number; last: number }>();
  const done: string[] = [];
  const mapped: string[] = [];
  for (const port of [...ports].sort(comparePorts)) {
    const type = port.Type ?? 'tcp';
    const current = port.PrivatePort ?? 0;
    if (port.IP && port.PublicPort !== current) {
      mapped.push(`${hostPort(port.IP, String(port.PublicPort ?? 0))}->${current}/${type}`);
      continue;
    }
    const key = port.IP ? `${port.IP}/${type}` : type;
    const group = groups.get(key);
    if (group !== undefined && current === group.last + 1) {
      group.last = current;
      continue;
    }
    if (group !== undefined) done.push(groupText(key, group));
    groups.set(key, { first: current, last: current });
  }
  return [...done, ...[...groups].map(([key, group]) => groupText(key, group)), ...mapped].join(', ');
}

function groupText(key: string, group: { readonly first: number; readonly last: number }): string {
  const slash = key.indexOf('/');
  const range = group.first === group.last ? `${group.first}` : `${group.first}-${group.last}`;
  if (slash === -1) return `${range}/${key}`;
  return `${hostPort(key.slice(0, slash), range)}->${range}/${key.slice(slash + 1)}`;
}

function hostPort(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function comparePorts(left: Port, right: Port): number {
  return (
    (left.PrivatePort ?? 0) - (right.PrivatePort ?? 0) ||
    compareText(left.IP ?? '', right.IP ?? '') ||
    (left.PublicPort ?? 0) - (right.PublicPort ?? 0) ||
    compareText(left.Type ?? '', right.Type ?? '')
  );
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
