// Owns requests for devices by driver or by CDI name (`--gpus`, `--device vendor.com/class=name`). Has no driver; injects nothing.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceRequest } from '../../spec/docker/types.gen.ts';
import { failure, notYet } from './errors.ts';

/** Where device makers put CDI specifications. @source Container Device Interface specification */
const CDI_DIRS = ['/etc/cdi', '/var/run/cdi'];
const MOST_SPECS = 256;

/**
 * @throws GantryError in Docker's words when there is no such driver or device; NOT_YET where a specification names the device,
 * which this engine cannot inject
 * @source dockerd 28.5 without drivers
 */
export async function checkDeviceRequests(requests: readonly DeviceRequest[], dirs = CDI_DIRS): Promise<void> {
  for (const request of requests) {
    if (request.Driver !== 'cdi') throw noDriver(request);
    await checkCdi(request, dirs);
  }
}

/** Go shows lists as `[[gpu x] [y]]`. */
function noDriver({ Driver = '', Capabilities = [] }: DeviceRequest): Error {
  const wanted = Capabilities.map((all) => `[${all.join(' ')}]`).join(' ');
  return failure('DEVICE_DRIVER', `could not select device driver "${Driver}" with capabilities: [${wanted}]`);
}

async function checkCdi({ Count = 0, Options = {}, DeviceIDs = [] }: DeviceRequest, dirs: readonly string[]) {
  if (Count !== 0) throw failure('CDI_REQUEST', 'unexpected count in CDI device request');
  if (Object.keys(Options).length > 0) throw failure('CDI_REQUEST', 'unexpected options in CDI device request');
  if (DeviceIDs.length === 0) return;
  const kinds = await cdiKinds(dirs);
  const unknown = DeviceIDs.filter((id) => !kinds.has(id.split('=', 1)[0] ?? ''));
  if (unknown.length > 0) {
    const text = `CDI device injection failed: unresolvable CDI devices ${unknown.join(', ')}`;
    throw failure('CDI_UNKNOWN', text);
  }
  throw notYet('CDI_DEVICE', `CDI devices (${DeviceIDs.join(', ')})`);
}

/** The kinds (`vendor.com/class`) that specifications on this host declare; files are JSON or YAML. */
async function cdiKinds(dirs: readonly string[]): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>();
  for (const dir of dirs) {
    const names = await readdir(dir).catch(() => []);
    for (const name of names.filter((file) => /\.(json|ya?ml)$/.test(file)).slice(0, MOST_SPECS)) {
      const text = await readFile(join(dir, name), 'utf8').catch(() => '');
      const kind = /(?:^|[{,])\s*"?kind"?\s*:\s*"?([\w.-]+\/[\w.-]+)"?/m.exec(text)?.[1];
      if (kind !== undefined) kinds.add(kind);
    }
  }
  return kinds;
}
