// Owns a volume as Docker shows it. Pure.

import type { VolumeRecord } from '../../engine/volumes/types.ts';
import type { Volume } from '../../spec/docker/types.gen.ts';
import { mapOrNull } from './fields.ts';

/** GET /volumes/{name}; keys are alphabetical and times have whole seconds, as Docker writes them. */
export function volumeView(volume: VolumeRecord): Volume {
  return {
    CreatedAt: volume.created.replace(/\.\d+/, ''),
    Driver: volume.driver,
    Labels: mapOrNull(volume.labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: mapOrNull(volume.options),
    Scope: 'local',
  };
}
