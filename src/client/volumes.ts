// Owns the volume calls of the Engine API.
import type { Volume, VolumeCreateOptions, VolumeListResponse } from '../spec/docker/types.gen.ts';
import { encode } from './call.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** What a prune gave back. */
export interface VolumesPruned {
  readonly VolumesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

/** Methods by volume name. */
export type VolumesClient = ReturnType<typeof createVolumesClient>;

/** The volume calls over `transport`. */
export function createVolumesClient(transport: Transport) {
  return {
    list: (filters?: Filters): Promise<VolumeListResponse> =>
      transport.json({ method: 'GET', path: '/volumes', query: { filters: filtersText(filters) } }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string): Promise<string> => transport.text({ method: 'GET', path: `/volumes/${encode(name)}` }),
    create: (body: VolumeCreateOptions): Promise<Volume> =>
      transport.json({ method: 'POST', path: '/volumes/create', body }),
    remove: (name: string, force: boolean): Promise<void> =>
      transport.done({ method: 'DELETE', path: `/volumes/${encode(name)}`, query: { force: force || undefined } }),
    prune: (filters?: Filters): Promise<VolumesPruned> =>
      transport.json({ method: 'POST', path: '/volumes/prune', query: { filters: filtersText(filters) } }),
  };
}
