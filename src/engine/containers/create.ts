// Owns making a container: facts, plan, volumes, record, folder. Starts nothing.

import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { formatNano, nowNano } from '../../lib/clock.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { HostConfig } from '../../spec/docker/types.gen.ts';
import { platformText } from '../../spec/platform.ts';
import type { ImageRecord } from '../images/types.ts';
import { checkVolumeRequest } from '../volumes/index.ts';
import type { VolumeCreateRequest } from '../volumes/types.ts';
import { type Context, publishContainer } from './context.ts';
import { withDefaults } from './defaults.ts';
import { checkDeviceRequests } from './device-requests.ts';
import { invalid } from './errors.ts';
import { checkLogConfig } from './log-options.ts';
import { checkBindSource } from './mount-sources.ts';
import { parseVolumesFrom } from './plan/bind-text.ts';
import { type CreateFacts, type CreatePlan, checkName, type Peer, type PeerMode, planCreate } from './plan/create.ts';
import type { MountRequest } from './plan/mounts.ts';
import type { ContainerRecord, CreateRequest, CreateResult, MountRecord } from './types.ts';

/** See Containers.create. */
export async function create(context: Context, given: CreateRequest): Promise<CreateResult> {
  const hostConfig = withDefaults(given.body.HostConfig ?? {}, context.defaults(), context.facts.cgroupVersion);
  const request = { ...given, body: { ...given.body, HostConfig: hostConfig } };
  const name = request.name ? checkName(request.name) : undefined;
  const image = imageFor(context, request);
  const plan = planCreate(request.body, gatherFacts(context, request, image));
  const logWarnings = checkLogConfig(plan.record.logDriver, plan.record.logOptions);
  context.launcher.checkConfig(plan.record);
  await checkDeviceRequests(plan.record.hostConfig.DeviceRequests ?? []);
  for (const mount of plan.mounts) if (mount.type === 'bind') await checkBindSource(context, mount);
  if (name !== undefined) context.records.checkNameFree(name);
  for (const mount of plan.mounts) if (mount.type === 'volume') checkVolumeRequest(requestOf(mount));
  const { id } = await act(context, plan, name);
  return { id, warnings: [...plan.warnings, ...logWarnings] };
}

/** What has to be made for a mount. */
function requestOf({ name, driver, labels, driverOptions }: MountRequest): VolumeCreateRequest {
  return { name, driver, labels, options: driverOptions };
}

async function act(context: Context, plan: CreatePlan, name: string | undefined): Promise<ContainerRecord> {
  await using undo = new AsyncDisposableStack();
  const mounts: MountRecord[] = [];
  for (const request of plan.mounts) mounts.push(await resolveMount(context, request, plan.record.id, undo));
  // The name is taken in the same turn in which it is checked: no other create can come between.
  // As the image: it may have been removed while volumes were made.
  context.images.get(plan.record.imageId);
  const record: ContainerRecord = { ...plan.record, name: name ?? context.records.freeName(), mounts };
  context.records.insert(record);
  undo.defer(() => context.records.remove(record.id));
  await mkdir(context.paths(record.id).dir, { mode: 0o710 });
  undo.move();
  publishContainer(context, record, 'create');
  return record;
}

function imageFor(context: Context, { body, platform }: CreateRequest): ImageRecord {
  if (!body.Image) throw invalid('NO_IMAGE', 'no image specified');
  const image = context.images.get(body.Image);
  if (platform && !context.images.matches(image, platform)) {
    const want = platformText(platform);
    const have = platformText(image.platform);
    throw new GantryError(
      'notFound',
      'WRONG_PLATFORM',
      `image with reference ${body.Image} was found but does not provide the specified platform (${want}): it does not match the specified platform: wanted ${want}, actual: ${have}`,
    );
  }
  return image;
}

function gatherFacts(context: Context, request: CreateRequest, image: ImageRecord): CreateFacts {
  const hostConfig = request.body.HostConfig ?? {};
  return {
    ...context.facts,
    id: randomId(),
    created: formatNano(nowNano()),
    image,
    hostName: hostname(),
    peers: peersOf(context, hostConfig),
    inherited: inheritedMounts(context, hostConfig.VolumesFrom ?? []),
  };
}

/** A missing one of `--network container:X` fails the start, one of the others the create. @source dockerd 28.5 */
function peersOf(context: Context, hostConfig: HostConfig): CreateFacts['peers'] {
  const peers: { -readonly [Mode in PeerMode]?: Peer } = {};
  for (const mode of ['NetworkMode', 'PidMode', 'IpcMode'] as const) {
    const ref = joinedContainer(hostConfig[mode]);
    if (!ref) continue;
    const peer = mode === 'NetworkMode' ? tryFind(context, ref) : sourceOf(context, ref);
    if (peer) peers[mode] = { id: peer.id, hostName: peer.config.Hostname ?? '' };
  }
  return peers;
}

function tryFind(context: Context, ref: string): ContainerRecord | undefined {
  try {
    return context.records.find(ref);
  } catch (error) {
    if (isGantryError(error)) return undefined;
    throw error;
  }
}

/** The mounts of `container[:options]`. @throws NO_SUCH_CONTAINER, VOLUMES_FROM, MOUNT_MODE */
function inheritedMounts(context: Context, texts: readonly string[]): readonly MountRecord[] {
  return texts.flatMap((text) => {
    const { ref, writable } = parseVolumesFrom(text);
    const { mounts } = sourceOf(context, ref);
    return mounts.map((mount) => ({ ...mount, writable: mount.writable && writable }));
  });
}

/** 400, not 404: a client takes that for a missing image. @source dockerd 28.5 */
function sourceOf(context: Context, ref: string): ContainerRecord {
  try {
    return context.records.find(ref);
  } catch (error) {
    if (isGantryError(error, 'notFound')) throw invalid(error.code, error.message);
    throw error;
  }
}

async function resolveMount(
  context: Context,
  request: MountRequest,
  owner: string,
  undo: AsyncDisposableStack,
): Promise<MountRecord> {
  const { labels, driverOptions, ...mount } = request;
  if (mount.type !== 'volume') return mount;
  const { name } = mount;
  const known = name !== undefined && context.volumes.list(new Map()).some((volume) => volume.name === name);
  const volume = await context.volumes.create({ ...requestOf(request), owner });
  if (!known) undo.defer(() => context.volumes.remove(volume.name, true).catch(() => undefined));
  return { ...mount, name: volume.name, source: volume.mountpoint, ...(name === undefined && { anonymous: true }) };
}

/** See Containers.rename. @source dockerd 28.5 for all texts */
export async function rename(context: Context, ref: string, newName: string): Promise<void> {
  if (newName === '') throw invalid('EMPTY_NAME', 'Neither old nor new names may be empty');
  const record = context.records.find(ref);
  // Docker looks at new names with their slash, and quotes them so.
  const name = withRenamePrefix(() => checkName(`/${newName.replace(/^\//, '')}`));
  if (record.name === name) throw invalid('SAME_NAME', 'Renaming a container with the same name as its current name');
  withRenamePrefix(() => context.records.rename(record.id, name));
  publishContainer(context, { ...record, name }, 'rename', { oldName: `/${record.name}` });
}

function withRenamePrefix<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw error.prefixed('Error when allocating new name: ');
  }
}
