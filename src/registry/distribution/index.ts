// The face of the distribution API: its routes, as data, over the verbs.

import type { Exchange, Route } from '../http/types.ts';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import { getCatalog, getTags } from './lists.ts';
import { deleteManifest, getManifest, getReferrers, putManifest } from './manifests.ts';
import type { DistributionOptions } from './types.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.ts';

export type { DistributionOptions, Origin } from './types.ts';
export { refuseDelete } from './writable.ts';

type Verb = (options: DistributionOptions, exchange: Exchange) => Promise<void> | void;

const MANIFEST = '/v2/{name}/manifests/{reference}';
const BLOB = '/v2/{name}/blobs/{digest}';
const UPLOADS = '/v2/{name}/blobs/uploads/';
const UPLOAD = '/v2/{name}/blobs/uploads/{id}';

/** Every endpoint of the specification. @source OCI distribution specification 1.1, "Endpoints" */
const ROUTES: readonly (readonly [Route['method'], string, Route['right'], string, Verb])[] = [
  ['GET', '/v2/', 'known', 'base', (_, exchange) => exchange.json(200, {})],
  ['GET', '/v2', 'known', 'base', (_, exchange) => exchange.json(200, {})],
  ['GET', '/v2/_catalog', 'catalog', 'catalog', getCatalog],
  ['GET', MANIFEST, 'pull', 'manifest', getManifest],
  ['HEAD', MANIFEST, 'pull', 'manifest', getManifest],
  ['PUT', MANIFEST, 'push', 'manifest', putManifest],
  ['DELETE', MANIFEST, 'delete', 'manifest', deleteManifest],
  ['GET', BLOB, 'pull', 'blob', getBlob],
  ['HEAD', BLOB, 'pull', 'blob', headBlob],
  ['DELETE', BLOB, 'delete', 'blob', deleteBlob],
  ['POST', UPLOADS, 'push', 'blob_upload', postUpload],
  ['POST', UPLOADS.slice(0, -1), 'push', 'blob_upload', postUpload],
  ['PATCH', UPLOAD, 'push', 'blob_upload', patchUpload],
  ['PUT', UPLOAD, 'push', 'blob_upload', putUpload],
  ['GET', UPLOAD, 'push', 'blob_upload', getUpload],
  ['DELETE', UPLOAD, 'push', 'blob_upload', deleteUpload],
  ['GET', '/v2/{name}/tags/list', 'pull', 'tags', getTags],
  ['GET', '/v2/{name}/referrers/{digest}', 'pull', 'referrers', getReferrers],
];

/** The routes of the distribution API. */
export function distributionRoutes(options: DistributionOptions): readonly Route[] {
  return ROUTES.map(([method, path, right, label, verb]) => ({
    method,
    path,
    right,
    label,
    handle: (exchange) => verb(options, exchange),
  }));
}
