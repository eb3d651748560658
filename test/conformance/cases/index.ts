// Owns the list of all conformance cases by area.

import { IMAGES } from './images.ts';
import { LIFE } from './life.ts';
import { RUN } from './run.ts';
import { STREAMS } from './streams.ts';
import type { Case } from './types.ts';

export const AREAS: Readonly<Record<string, readonly Case[]>> = {
  run: RUN,
  life: LIFE,
  streams: STREAMS,
  images: IMAGES,
};
