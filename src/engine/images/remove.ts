// Owns removing images: untag, delete, prune. The rules are Docker's. @source dockerd 28.5 (seen), moby image_delete.go

import { setImmediate } from 'node:timers/promises';
import { type Digest, hexOf } from '../../spec/digest.ts';
import { passesLabels } from '../../spec/docker/filters.ts';
import {
  canonicalName,
  canonicalReference,
  familiarReference,
  parseReference,
  withDefaultTag,
} from '../../spec/reference.ts';
import { chainIds } from './chain.ts';
import { type ImageContext, withoutTagOfDigest } from './context.ts';
import { cannotDelete, referenceInUse } from './errors.ts';
import type { ImagePruneFilters, ImageRecord, RemovedImagePart } from './types.ts';

export interface RemoveOptions {
  readonly force: boolean;
  readonly prune: boolean;
}

/** Removes a name, or the image when it is the last name or an id was given. @throws NO_SUCH_IMAGE, IMAGE_IN_USE */
export async function removeImage(
  context: ImageContext,
  ref: string,
  options: RemoveOptions,
): Promise<readonly RemovedImagePart[]> {
  const parts = removeRecords(context, ref, options);
  if (parts.some(({ deleted }) => deleted !== undefined)) await context.sweep();
  return parts;
}

function removeRecords(context: ImageContext, ref: string, { force }: RemoveOptions): RemovedImagePart[] {
  const image = context.find(ref);
  const { id } = image;
  const parts: RemovedImagePart[] = [];
  if (!isIdPrefix(id, ref)) {
    const refs = context.records.refsOf(id);
    const user = context.users.usersOf(id)[0];
    if (!force && isSingleReference(refs) && user) throw referenceInUse(ref, user.containerId, hexOf(id));
    parts.push(...untagByName(context, image, ref));
    if (context.records.refsOf(id).length > 0) return parts;
    // The name is gone; an image that containers still use stays without one, and that is no error.
    if (conflictOf(context, id, force)) return parts;
  } else {
    const single = isSingleReference(context.records.refsOf(id));
    const conflict = conflictOf(context, id, force, !single);
    if (conflict) throw conflict;
    for (const canonical of context.records.refsOf(id)) parts.push(untag(context, image, canonical));
  }
  parts.push(...deleteImage(context, image));
  return parts;
}

function isIdPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text.startsWith('sha256:') ? text : `sha256:${text}`);
}

/** At most one tag, and everything in one repository. */
function isSingleReference(refs: readonly string[]): boolean {
  if (refs.length <= 1) return true;
  const parsed = refs.map(parseReference);
  const names = new Set(parsed.map(canonicalName));
  return names.size === 1 && parsed.filter(({ digest }) => digest === undefined).length <= 1;
}

/** Why an image cannot be deleted; undefined when it can. */
function conflictOf(context: ImageContext, id: Digest, force: boolean, references = false): Error | undefined {
  const users = context.users.usersOf(id);
  const running = users.find((user) => user.running);
  const hex = hexOf(id);
  if (running) {
    return cannotDelete(hex, false, `image is being used by running container ${running.containerId.slice(0, 12)}`);
  }
  if (force) return undefined;
  if (references) return cannotDelete(hex, true, 'image is referenced in multiple repositories');
  const stopped = users[0];
  if (!stopped) return undefined;
  return cannotDelete(hex, true, `image is being used by stopped container ${stopped.containerId.slice(0, 12)}`);
}

function untag(context: ImageContext, { id, config }: ImageRecord, canonical: string): RemovedImagePart {
  context.records.removeRef(canonical);
  context.event('untag', id, id, config.Labels);
  return { untagged: familiarReference(parseReference(canonical)) };
}

/** Takes one name away; with the last tag of a repository its digests go too. */
function untagByName(context: ImageContext, image: ImageRecord, ref: string): RemovedImagePart[] {
  const reference = withoutTagOfDigest(withDefaultTag(parseReference(ref)));
  const parts = [untag(context, image, canonicalReference(reference))];
  if (reference.digest !== undefined) return parts;
  const rest = context.records.refsOf(image.id).map(parseReference);
  const siblings = rest.filter((other) => canonicalName(other) === canonicalName(reference));
  if (siblings.some(({ digest }) => digest === undefined)) return parts;
  return [...parts, ...siblings.map((sibling) => untag(context, image, canonicalReference(sibling)))];
}

/** Forgets an image without names; layers that no other image has are reported, topmost first, and swept later. */
function deleteImage(context: ImageContext, { id, diffIds }: ImageRecord): RemovedImagePart[] {
  const used = context.isUsed(id);
  context.records.remove(id, used);
  context.event('delete', id, id);
  if (used) return [{ deleted: id }];
  const shared = context.records
    .allStored()
    .reduce((most, { facts }) => Math.max(most, commonLayers(facts.diffIds, diffIds)), 0);
  const gone = chainIds(diffIds).slice(shared);
  return [{ deleted: id }, ...gone.reverse().map((deleted) => ({ deleted }))];
}

/** How many layers two images have in common from the base on. */
function commonLayers(a: readonly Digest[], b: readonly Digest[]): number {
  const differs = b.findIndex((diffId, index) => diffId !== a[index]);
  return differs < 0 ? b.length : differs;
}

/** Removes images without a tag, or (not `dangling`) all that no container uses. */
export async function pruneImages(
  context: ImageContext,
  filters: ImagePruneFilters,
): Promise<{ readonly removed: readonly RemovedImagePart[]; readonly reclaimedBytes: number }> {
  const removed: RemovedImagePart[] = [];
  for (const { id } of context.records.all()) {
    // One image a turn: a thousand of them must not hold everything else up. What changed meanwhile is looked at anew.
    await setImmediate();
    const image = context.records.get(id);
    if (!image || !prunable(image, filters) || context.isUsed(id)) continue;
    const refs = context.records.refsOf(image.id);
    for (const ref of refs.length > 0 ? refs : [image.id]) {
      // With its last tag a repository's digests have gone already.
      if (ref !== image.id && context.records.resolve(ref) === undefined) continue;
      removed.push(...removeRecords(context, ref, { force: false, prune: true }));
    }
  }
  const reclaimedBytes = await context.sweep();
  context.plainEvent('prune', { reclaimed: String(reclaimedBytes) });
  return { removed, reclaimedBytes };
}

function prunable(image: ImageRecord, { dangling, until, labels, notLabels }: ImagePruneFilters): boolean {
  if (dangling && image.repoTags.length > 0) return false;
  if (until !== undefined && !(Date.parse(image.created) / 1000 < until)) return false;
  return passesLabels(image.config.Labels ?? {}, labels, notLabels);
}
