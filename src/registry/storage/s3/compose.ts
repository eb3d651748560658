// Owns making one object of an upload's parts, within the limits of multipart uploads. Verifies nothing.

import type { Bucket, Multipart, StoredObject } from './bucket.ts';

/** The smallest part, but for the last. @source Amazon S3: multipart upload limits */
const PART_MIN_BYTES = 5 << 20;
/** One below the limit, for the last. @source Amazon S3: multipart upload limits */
const PARTS_MAX = 9_999;
/** A copy is a trip to the store and back; parts that must be read each hold theirs in memory. */
const AT_ONCE = 4;

/**
 * Makes the object `key` of `parts`, in their order. Parts of 5 MiB and more are copied inside the store, where it can; smaller ones
 * go through here with their neighbours. What a failure leaves cannot be seen.
 * @throws UNAVAILABLE
 */
export async function compose(bucket: Bucket, parts: readonly StoredObject[], key: string): Promise<void> {
  const [first, second] = parts;
  if (!first) return bucket.put(key, Buffer.alloc(0));
  if (!second) return bucket.copy(first.key, key);
  const multipart = await bucket.beginMultipart(key);
  try {
    await bucket.completeMultipart(multipart, await addParts(bucket, multipart, groupsOf(parts)));
  } catch (error) {
    // Left over when this fails too: opening the store removes it.
    await bucket.abortMultipart(multipart).catch(() => undefined);
    throw error;
  }
}

/** Adds each group as a part, some at once; resolves to their tags in order. After a failure none is under way. */
async function addParts(
  bucket: Bucket,
  multipart: Multipart,
  groups: readonly (readonly StoredObject[])[],
): Promise<(string | undefined)[]> {
  const tags: (string | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < groups.length; index = next++) {
      try {
        tags[index] = await addPart(bucket, multipart, index + 1, groups[index] ?? []);
      } catch (error) {
        next = groups.length;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return tags;
}

async function addPart(
  bucket: Bucket,
  multipart: Multipart,
  number: number,
  group: readonly StoredObject[],
): Promise<string | undefined> {
  const [only, another] = group;
  const copied = only && !another ? await bucket.copyPart(multipart, number, only.key) : undefined;
  if (copied) return copied.tag;
  const bytes = Buffer.allocUnsafe(group.reduce((total, { sizeBytes }) => total + sizeBytes, 0));
  let at = 0;
  for (const { key } of group) {
    for await (const piece of bucket.bytes(key)) at += piece.copy(bytes, at);
  }
  return bucket.putPart(multipart, number, bytes.subarray(0, at));
}

/** Neighbours together, until each group but the last is large enough for a part and there are not too many. */
export function groupsOf<T extends { readonly sizeBytes: number }>(parts: readonly T[]): T[][] {
  const totalBytes = parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const minBytes = Math.max(PART_MIN_BYTES, Math.ceil(totalBytes / PARTS_MAX));
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const part of parts) {
    group.push(part);
    bytes += part.sizeBytes;
    if (bytes < minBytes) continue;
    groups.push(group);
    group = [];
    bytes = 0;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
