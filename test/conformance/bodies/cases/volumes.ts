// Owns the bodies of volumes. Their drivers' options come with user networks and volumes.

import type { BodyCase, Try } from '../types.ts';

const volume = (body: Record<string, unknown>, more: Omit<Try, 'body' | 'of'> = {}): Try => ({
  of: 'volume',
  body,
  ...more,
});
const SHOWN = ['Name', 'Driver', 'Labels', 'Scope'];

export const VOLUMES: readonly BodyCase[] = [
  {
    name: 'a volume is made as asked',
    tries: [
      volume({ Name: '$N-a', Labels: { a: 'b' } }, { shows: SHOWN }),
      volume({ Name: '$N-a', Driver: 'local', DriverOpts: {} }, { shows: SHOWN }),
      volume({}, { shows: ['Driver', 'Labels', 'Options'] }),
      volume({ Name: '$N-a', ClusterVolumeSpec: {} }, { version: 'v1.41', shows: SHOWN }),
    ],
  },
  {
    name: 'a volume that its driver cannot make is refused',
    tries: [
      volume({ Name: 'a/b' }),
      volume({ Name: 'x' }),
      volume({ Name: '$N-a', Driver: 'nosuch' }),
      volume({ Name: '$N-a', DriverOpts: { nosuch: 'x' } }),
      volume({ Name: '$N-a', ClusterVolumeSpec: {} }),
      volume({ Name: '$N-a', ClusterVolumeSpec: 5 }),
    ],
  },
];
