// Owns making a container: facts, plan, volumes, record, folder. Starts nothing.

import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { formatNano, nowNano } from '../../lib/clock.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { platformText } from '../../spec/platform.ts';
import type { ImageRecord } from '../images/types.ts';
import { type Context, publishContainer } from './context.ts';
import { withDefaults } from './defaults.ts';
import { invalid } from './errors.ts';
import { checkLogConfig } from './log-options.ts';
import { checkBindSource } from './mount-sources.ts';
import { type CreateFacts, type CreatePlan, checkName, planCreate } from './plan/create.ts';
import type { MountWish } from './plan/mounts.ts';
import type { ContainerRecord, CreateRequest, CreateResult, MountRecord } from './types.ts';

/** See Containers.create. */
export async function create(context: Context, given: CreateRequest): Promise<CreateResult> {
  const hostConfig = withDefaults(given.body.HostConfig ?? {}, context.defaults(), context.facts.cgroupVersion);
  const request = { ...given, body: { ...given.body, HostConfig: hostConfig } };
  const name = request.name ? checkName(request.name) : undefined;
  const image = imageFor(context, request);
  const plan = planCreate(request.body, gatherFacts(context, request, image));
  checkLogConfig(plan.record.logDriver, plan.record.logOptions);
  context.launcher.checkConfig(plan.record);
  for (const mount of plan.mounts) if (mount.type === 'bind') await checkBindSource(mount);
  if (name !== undefined) context.records.checkNameFree(name);
  return act(context, plan, name);
}

async function act(context: Context, plan: CreatePlan, name: string | undefined): Promise<CreateResult> {
  await using undo = new AsyncDisposableStack();
  const mounts: MountRecord[] = [];
  for (const wish of plan.mounts) mounts.push(await resolveMount(context, wish, undo));
  // The name is taken in the same turn in which it is checked: no other create can come between.
  // As the image: it may have been removed while volumes were made.
  context.images.get(plan.record.imageId);
  const record: ContainerRecord = { ...plan.record, name: name ?? context.records.freeName(), mounts };
  context.records.insert(record);
  undo.defer(() => context.records.remove(record.id));
  await mkdir(context.paths(record.id).dir, { mode: 0o710 });
  undo.move();
  publishContainer(context, record, 'create');
  return { id: record.id, warnings: plan.warnings };
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
  const id = randomId();
  return {
    ...context.facts,
    id,
    created: formatNano(nowNano()),
    image,
    hostName: hostname(),
    peerHostName: peerHostName(context, request.body.HostConfig?.NetworkMode),
    inherited: inheritedMounts(context, request.body.HostConfig?.VolumesFrom ?? []),
  };
}

/** Who joins another container's network is known by that one's name. */
function peerHostName(context: Context, mode: string | undefined): string {
  if (!mode?.startsWith('container:')) return '';
  try {
    return context.records.find(mode.slice('container:'.length)).config.Hostname ?? '';
  } catch {
    // The start will say that it is missing.
    return '';
  }
}

/** The mounts of `container[:ro|rw]`. @throws NO_SUCH_CONTAINER, MOUNT_MODE */
function inheritedMounts(context: Context, sources: readonly string[]): readonly MountRecord[] {
  return sources.flatMap((source) => {
    const [ref = '', mode = 'rw'] = source.split(':');
    if (mode !== 'ro' && mode !== 'rw') throw invalid('MOUNT_MODE', `invalid mode: ${mode}`);
    const { mounts } = sourceOf(context, ref);
    return mounts.map((mount) => ({ ...mount, writable: mount.writable && mode === 'rw' }));
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

async function resolveMount(context: Context, wish: MountWish, undo: AsyncDisposableStack): Promise<MountRecord> {
  if (wish.type !== 'volume') return wish;
  const known = wish.name !== undefined && context.volumes.list(new Map()).some(({ name }) => name === wish.name);
  const volume = await context.volumes.create({ name: wish.name, driver: wish.driver });
  if (!known) undo.defer(() => context.volumes.remove(volume.name, true).catch(() => undefined));
  return { ...wish, name: volume.name, source: volume.mountpoint, ...(wish.name === undefined && { anonymous: true }) };
}

/** See Containers.rename. @source dockerd 28.5 for all texts */
export async function rename(context: Context, ref: string, newName: string): Promise<void> {
  if (newName === '') throw invalid('EMPTY_NAME', 'Neither old nor new names may be empty');
  const record = context.records.find(ref);
  // Docker looks at new names with their slash, and quotes them so.
  const name = inRenamesWords(() => checkName(`/${newName.replace(/^\//, '')}`));
  if (record.name === name) throw invalid('SAME_NAME', 'Renaming a container with the same name as its current name');
  inRenamesWords(() => context.records.rename(record.id, name));
  publishContainer(context, { ...record, name }, 'rename', { oldName: `/${record.name}` });
}

function inRenamesWords<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw new GantryError(error.kind, error.code, `Error when allocating new name: ${error.message}`, {
      params: error.params,
    });
  }
}
