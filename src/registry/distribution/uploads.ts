// Owns the verbs on uploads: POST (begin, mount, whole), PATCH, PUT, GET, DELETE.
// @source OCI distribution specification 1.1, "Pushing blobs"

import { GantryError } from '../../lib/errors.ts';
import { parseAnyDigest } from '../../spec/digest.ts';
import { isRepositoryName } from '../../spec/oci/names.ts';
import type { Exchange } from '../http/types.ts';
import type { Upload } from '../repositories/types.ts';
import { uploadTooLarge } from '../storage/index.ts';
import { contentRangeOf, digestOf } from './parse.ts';
import type { DistributionOptions } from './types.ts';
import { refuseWrite } from './writable.ts';

/** POST: begins an upload, mounts a blob of another repository, or takes a whole blob. */
export async function postUpload(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '' } = exchange.parameters;
  const { repositories } = options;
  refuseWrite(options, name);
  const { query, doer } = exchange;
  const mount = query.get('mount');
  if (mount !== null && (await mountBlob(options, exchange, name, mount))) return;
  const digest = query.get('digest');
  const wanted = digest === null ? undefined : digestOf(digest);
  const upload = await repositories.beginUpload(name);
  if (wanted === undefined) return accepted(exchange, 202, upload);
  await appendBody(options, exchange, upload);
  await repositories.finishUpload(name, upload.id, wanted, doer);
  created(exchange, name, wanted);
}

/** True when the blob was mounted and the answer is out. From repositories that the sender may not read nothing is mounted. */
async function mountBlob(
  { repositories }: DistributionOptions,
  exchange: Exchange,
  name: string,
  mount: string,
): Promise<boolean> {
  const digest = parseAnyDigest(mount);
  const from = exchange.query.get('from');
  if (!digest || from === null || !isRepositoryName(from) || !exchange.grant.may('pull', from)) return false;
  if (!(await repositories.isStored(digest))) return false;
  if (repositories.mount(name, digest, from, exchange.doer) === undefined) return false;
  created(exchange, name, digest);
  return true;
}

/** PATCH: the next piece. */
export async function patchUpload(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', id = '' } = exchange.parameters;
  refuseWrite(options, name);
  const upload = await appendBody(options, exchange, await options.repositories.upload(name, id));
  accepted(exchange, 202, upload);
}

/** PUT: the last piece, which may be empty, and the digest that the whole must have. */
export async function putUpload(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', id = '' } = exchange.parameters;
  refuseWrite(options, name);
  const digest = digestOf(exchange.query.get('digest'));
  const upload = await options.repositories.upload(name, id);
  if (hasBody(exchange)) await appendBody(options, exchange, upload);
  await options.repositories.finishUpload(name, id, digest, exchange.doer);
  created(exchange, name, digest);
}

/** GET: how far an upload has come. */
export async function getUpload({ repositories }: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', id = '' } = exchange.parameters;
  accepted(exchange, 204, await repositories.upload(name, id));
}

/** DELETE: forgets an upload. */
export async function deleteUpload({ repositories }: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', id = '' } = exchange.parameters;
  await repositories.abortUpload(name, id);
  exchange.send(204, {});
}

function hasBody({ request }: Exchange): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/** @throws RANGE_INVALID (416) for a piece out of order, SIZE_INVALID for one of another length than announced */
async function appendBody(
  { repositories, maxBlobBytes }: DistributionOptions,
  exchange: Exchange,
  upload: Upload,
): Promise<Upload> {
  const { request } = exchange;
  const range = contentRangeOf(request.headers['content-range']);
  if (range && range.start !== upload.sizeBytes) throw outOfOrder(exchange, range.start, upload);
  const announced = request.headers['content-length'];
  if (range && announced !== undefined && Number(announced) !== range.length) {
    const params = { contentRange: range.length, contentLength: Number(announced) };
    throw new GantryError('invalid', 'SIZE_INVALID', 'Content-Range and Content-Length do not agree', { params });
  }
  if (upload.sizeBytes + Number(announced ?? 0) > maxBlobBytes) throw uploadTooLarge(maxBlobBytes);
  const append = { offsetBytes: upload.sizeBytes, isHandedOver: true };
  return repositories.appendUpload(upload.repository, upload.id, exchange.content, append);
}

function outOfOrder(exchange: Exchange, start: number, upload: Upload): GantryError {
  for (const [name, value] of Object.entries(whereabouts(exchange, upload))) exchange.response.setHeader(name, value);
  const message = `the piece begins at byte ${start}, the upload has ${upload.sizeBytes} bytes`;
  return new GantryError('invalid', 'RANGE_INVALID', message, { params: { sizeBytes: upload.sizeBytes } });
}

/** Relative, so that it holds behind any proxy. @source specification: the Location MAY be relative */
function whereabouts(exchange: Exchange, { repository, id, sizeBytes }: Upload) {
  return {
    Location: exchange.link(`/v2/${repository}/blobs/uploads/${id}`),
    Range: `0-${Math.max(0, sizeBytes - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function accepted(exchange: Exchange, status: number, upload: Upload): void {
  exchange.send(status, whereabouts(exchange, upload));
}

function created(exchange: Exchange, repository: string, digest: string): void {
  exchange.send(201, { Location: exchange.link(`/v2/${repository}/blobs/${digest}`), 'Docker-Content-Digest': digest });
}
