// Owns when the kernel is made ready for a start: at the verbs that a client calls just before one. Changes none of them.

import type { MakeReady } from '../host/cgroup/index.ts';
import type { Containers } from './containers/types.ts';
import type { Execs } from './exec/types.ts';

/** `docker run` creates and then starts. */
export function readyContainers(face: Containers, makeReady: MakeReady): Containers {
  return {
    ...face,
    create: (request) => {
      makeReady();
      return face.create(request);
    },
    start: (ref) => {
      makeReady();
      return face.start(ref);
    },
    restart: (ref, options) => {
      makeReady();
      return face.restart(ref, options);
    },
  };
}

export function readyExecs(face: Execs, makeReady: MakeReady): Execs {
  return {
    ...face,
    create: (containerRef, request) => {
      makeReady();
      return face.create(containerRef, request);
    },
  };
}
