// Owns the volume calls of the Engine API.
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type { Volume, VolumeCreateOptions, VolumeListResponse } from '../spec/docker/types.gen.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Methods by volume name. */
export type VolumesClient = ReturnType<typeof createVolumesClient>;

/** The volume calls over `transport`. */
export function createVolumesClient(transport: Transport) {
  return {
    list: (filters?: Filters): Promise<VolumeListResponse> =>
      transport.json({ route: 'volumeList', query: { filters: filtersText(filters) } }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string): Promise<string> => transport.text({ route: 'volumeInspect', name: name }),
    create: (body: VolumeCreateOptions): Promise<Volume> => transport.json({ route: 'volumeCreate', body }),
    remove: (name: string, force: boolean): Promise<void> =>
      transport.done({ route: 'volumeRemove', name: name, query: { force: force || undefined } }),
    prune: (filters?: Filters): Promise<ReplyOf<'volumePrune'>> =>
      transport.json({ route: 'volumePrune', query: { filters: filtersText(filters) } }),
  };
}
