// Owns what every store of layers keeps to. Register it for a fake and for the real one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../../lib/errors.ts';
import type { Digest } from '../../../spec/digest.ts';
import type { Layers } from '../layers.ts';
import { collect, layerOf, NEVER, streamOf, tarOf } from './made-images.ts';

export interface LayersUnderTest extends AsyncDisposable {
  readonly layers: Layers;
  /** Does a harm to a layer that the store can notice. */
  damage(diffId: Digest): void;
}

const LAYER = layerOf(
  tarOf({ name: 'a', data: 'one', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }),
  'none',
);
const { diffId, blob, blobDigest } = LAYER;
const OTHER = `sha256:${'e'.repeat(64)}` as Digest;

const noneMounted = (): ReadonlySet<Digest> => new Set();

/** A source that counts how often it was opened. */
function counted(...pieces: readonly Uint8Array[]): { readonly open: () => AsyncIterable<Uint8Array>; opened: number } {
  const source = {
    opened: 0,
    open: () => {
      source.opened++;
      return streamOf(...pieces);
    },
  };
  return source;
}

const withCode = (code: string) => (error: unknown) => isGantryError(error) && error.code === code;

const RULES: Readonly<Record<string, (under: LayersUnderTest) => Promise<void>>> = {
  'a layer that was unpacked is known by its digest, and its tar comes back byte for byte': async ({ layers }) => {
    const layer = await layers.unpack({ open: counted(blob).open, blob: blobDigest, diffId }, NEVER);
    assert.equal(layer.diffId, diffId);
    assert.deepEqual(layers.get(diffId), layer);
    assert.equal(layer.tarBytes, blob.length);
    assert.deepEqual(await collect(layers.tar(diffId)), blob);
    assert.equal(await layers.isWhole(diffId), true);
    assert.equal(await layers.whyUnusable(diffId), undefined);
  },
  'a layer of unknown digest gets the digest of its tar': async ({ layers }) => {
    assert.equal((await layers.unpack({ open: counted(blob).open }, NEVER)).diffId, diffId);
  },
  'other bytes than promised are refused, and no layer is known by them': async ({ layers }) => {
    const { open } = counted(blob);
    await assert.rejects(layers.unpack({ open, blob: OTHER, diffId }, NEVER), withCode('DIGEST_MISMATCH'));
    await assert.rejects(layers.unpack({ open, diffId: OTHER }, NEVER), withCode('DIFF_ID_MISMATCH'));
    assert.equal(layers.get(diffId), undefined);
    assert.equal(layers.get(OTHER), undefined);
  },
  'a layer that is there is not read again, and two who want it at once share one reading': async ({ layers }) => {
    const sources = [counted(blob), counted(blob), counted(blob)];
    const [first, second, third] = sources.map(({ open }) => ({ open, diffId }));
    assert.ok(first && second && third);
    const both = await Promise.all([layers.unpack(first, NEVER), layers.unpack(second, NEVER)]);
    assert.equal(both[0].directory, both[1].directory);
    await layers.unpack(third, NEVER);
    assert.deepEqual(
      sources.map(({ opened }) => opened),
      [1, 0, 0],
    );
  },
  'when the one that reads a layer fails, the other who waits brings it from its own source': async ({ layers }) => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield blob.subarray(0, 100);
      throw new Error('the line dropped');
    };
    const first = layers.unpack({ open: broken, diffId }, NEVER);
    const second = layers.unpack({ open: counted(blob).open, diffId }, NEVER);
    await assert.rejects(first, /the line dropped/);
    assert.equal((await second).diffId, diffId);
  },
  'unpacking that is called off ends with that word, and no layer is known': async ({ layers }) => {
    const stop = new AbortController();
    const waiting = async function* (): AsyncGenerator<Uint8Array> {
      yield blob.subarray(0, 100);
      setImmediate(() => stop.abort());
      await new Promise(() => {});
    };
    await assert.rejects(layers.unpack({ open: waiting, diffId }, stop.signal), withCode('CANCELLED'));
    assert.equal(layers.get(diffId), undefined);
  },
  'a layer that is not there says so': async ({ layers }) => {
    assert.equal(await layers.isWhole(OTHER), false);
    assert.equal(await layers.whyUnusable(OTHER), 'it is not there');
    assert.throws(() => layers.tar(OTHER), withCode('NO_SUCH_LAYER'));
  },
  'a sweep takes what nobody wants, and says how many bytes came back': async ({ layers }) => {
    const { sizeBytes } = await layers.unpack({ open: counted(blob).open, diffId }, NEVER);
    assert.equal(await layers.sweep(new Set([diffId]), noneMounted), 0);
    assert.ok(layers.get(diffId));
    assert.equal(await layers.sweep(new Set(), noneMounted), sizeBytes);
    assert.equal(layers.get(diffId), undefined);
  },
  'what is held or frozen outlives a sweep, until the last who holds it lets go': async ({ layers }) => {
    await layers.unpack({ open: counted(blob).open, diffId }, NEVER);
    const [hold, other] = [layers.hold([diffId]), layers.hold([diffId])];
    hold[Symbol.dispose]();
    // Letting go twice lets go once.
    hold[Symbol.dispose]();
    await layers.sweep(new Set(), noneMounted);
    assert.ok(layers.get(diffId));
    const freeze = layers.freeze();
    other[Symbol.dispose]();
    await layers.sweep(new Set(), noneMounted);
    assert.ok(layers.get(diffId));
    freeze[Symbol.dispose]();
    freeze[Symbol.dispose]();
    await layers.sweep(new Set(), noneMounted);
    assert.equal(layers.get(diffId), undefined);
  },
  'a damaged layer is told, and unpacked anew when it is brought again': async (under) => {
    const { layers } = under;
    await layers.unpack({ open: counted(blob).open, diffId }, NEVER);
    under.damage(diffId);
    assert.match((await layers.whyUnusable(diffId)) ?? '', /./);
    assert.equal(await layers.isWhole(diffId), false);
    const again = counted(blob);
    await layers.unpack({ open: again.open, diffId }, NEVER);
    assert.equal(again.opened, 1);
    assert.equal(await layers.isWhole(diffId), true);
    assert.deepEqual(await collect(layers.tar(diffId)), blob);
  },
};

/** Registers the tests; each makes a store of its own. */
export function layersContract(name: string, make: () => LayersUnderTest): void {
  for (const [rule, work] of Object.entries(RULES)) {
    test(`${name}: ${rule}`, async () => {
      await using under = make();
      await work(under);
    });
  }
}
