// Owns the text form of mounts: `-v` as HostConfig.Binds, and `--volumes-from`. Pure.
// @source dockerd 28.5 for all texts

import { posix } from 'node:path';
import type { Mount } from '../../../spec/docker/types.gen.ts';
import { failure, invalid } from '../errors.ts';
import { faultOf, PROPAGATIONS } from './mount-body.ts';

/** Of each kind one word at most. */
const KINDS: readonly ReadonlySet<string>[] = [
  new Set(['ro', 'rw']),
  new Set(['z', 'Z']),
  PROPAGATIONS,
  new Set(['nocopy']),
  new Set(['consistent', 'cached', 'delegated']),
];

/** A `-v` text taken apart: the mount that it means, and its options as written. */
export interface BindText {
  readonly mount: Mount;
  readonly mode: string;
}

/** `src:dst[:options]`, `name:dst[:options]` or `dst`. @throws VOLUME_SPEC, MOUNT_MODE */
export function parseBindText(text: string, driver = ''): BindText {
  const parts = text.split(':');
  const [first = '', second, mode = ''] = parts;
  const malformed = (why = '') => failure('VOLUME_SPEC', `invalid volume specification: '${text}'${why}`);
  // Of two parts the second cannot be options.
  if (parts.length > 3 || first === '' || (parts.length === 2 && isMode(second ?? ''))) throw malformed();
  if (!isMode(mode)) throw failure('MOUNT_MODE', `invalid mode: ${mode}`);
  const mount = mountOf(second === undefined ? '' : first, second ?? first, mode.split(','), driver);
  const why = faultOf(mount, mount.Type ?? '');
  if (why !== undefined) throw malformed(`: invalid mount config for type "${mount.Type}": ${why}`);
  return { mount, mode };
}

function mountOf(source: string, target: string, flags: readonly string[], driver: string): Mount {
  const type = posix.isAbsolute(source) ? 'bind' : 'volume';
  const propagation = flags.find((flag) => PROPAGATIONS.has(flag));
  const volume = {
    ...(driver !== '' && type === 'volume' ? { DriverConfig: { Name: driver } } : {}),
    ...(flags.includes('nocopy') ? { NoCopy: true } : {}),
  };
  return {
    Type: type,
    Source: source,
    Target: target,
    ReadOnly: flags.includes('ro'),
    ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }),
    ...(Object.keys(volume).length === 0 ? {} : { VolumeOptions: volume }),
  };
}

function isMode(text: string): boolean {
  if (text === '') return true;
  const flags = text.split(',');
  const known = flags.every((flag) => KINDS.some((kind) => kind.has(flag)));
  return known && KINDS.every((kind) => flags.filter((flag) => kind.has(flag)).length <= 1);
}

/** `container[:options]`. @throws VOLUMES_FROM, MOUNT_MODE */
export function parseVolumesFrom(text: string): { readonly ref: string; readonly writable: boolean } {
  if (text === '') throw invalid('VOLUMES_FROM', 'volumes-from specification cannot be an empty string');
  const colon = text.indexOf(':');
  const ref = colon < 0 ? text : text.slice(0, colon);
  const mode = colon < 0 ? '' : text.slice(colon + 1);
  const flags = mode.split(',');
  // What is inherited keeps its propagation, and was filled already.
  const foreign = flags.some((flag) => flag === 'nocopy' || PROPAGATIONS.has(flag));
  if (!isMode(mode) || foreign) throw invalid('MOUNT_MODE', `invalid mode: ${mode}`);
  return { ref, writable: !flags.includes('ro') };
}
