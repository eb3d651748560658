// A fake of the image capability as containers use it: one image, and leases that are counted.

import { GantryError } from '../../../lib/errors.ts';
import { digestOfHex } from '../../../spec/digest.ts';
import type { ImageConfig } from '../../../spec/docker/types.gen.ts';
import type { Platform } from '../../../spec/platform.ts';
import type { ImageRecord, ImagesUsage, RootfsLease } from '../../images/types.ts';
import type { Context } from '../context.ts';

const IMAGE_ID = digestOfHex('11'.repeat(32));

const NAMES: ReadonlySet<string> = new Set(['busybox', 'busybox:latest', IMAGE_ID]);

export class FakeImages {
  config: ImageConfig = { Cmd: ['sh'] };
  leases = 0;
  readonly failures = new Map<'lease', Error>();
  /** Set: the image was removed. */
  gone = false;
  readonly #note: (step: string) => void;

  constructor(note: (step: string) => void) {
    this.#note = note;
  }

  get(ref: string): ImageRecord {
    if (this.gone || !NAMES.has(ref)) {
      throw new GantryError('notFound', 'NO_SUCH_IMAGE', `No such image: ${ref}`);
    }
    return {
      id: IMAGE_ID,
      repoTags: ['busybox:latest'],
      repoDigests: [],
      created: '',
      platform: { os: 'linux', architecture: 'amd64' },
      author: '',
      comment: '',
      dockerVersion: '',
      sizeBytes: 1000,
      config: this.config,
      diffIds: [],
      history: [],
      lastTagTime: '',
    };
  }

  list(): readonly ImageRecord[] {
    return this.gone ? [] : [this.get('busybox')];
  }

  matches(image: ImageRecord, platform: Platform): boolean {
    return image.platform.architecture === platform.architecture;
  }

  layerPaths(): readonly string[] {
    return ['/layers/1'];
  }

  layerSizes(): readonly number[] {
    return [1000];
  }

  usage(): ImagesUsage {
    return { layersBytes: 1000, sharedBytes: new Map() };
  }

  async lease(): Promise<RootfsLease> {
    this.#note('lease');
    const failure = this.failures.get('lease');
    if (failure) throw failure;
    this.leases++;
    return {
      layersDir: '/layers',
      lowerDirs: ['1'],
      [Symbol.asyncDispose]: async () => {
        this.leases--;
        this.#note('release');
      },
    };
  }
}

/** The fake is what the verbs ask for. */
export const imagesOf = (fake: FakeImages): Context['images'] => fake;
