// Owns the text of an overlay mount's options. Pure.

import { GantryError } from '../../lib/errors.ts';
import type { OverlayRequest } from './types.ts';

/** The kernel takes one page. @source mount(2) */
const OPTION_BYTES = 4095;

/** The options of mount(2). @throws TOO_MANY_LAYERS when they do not fit */
export function overlayOptions({ lower, writable }: Omit<OverlayRequest, 'from'>): string {
  const parts = [`lowerdir=${lower.map(escapeLower).join(':')}`];
  if (writable) parts.push(`upperdir=${escapePath(writable.upper)}`, `workdir=${escapePath(writable.work)}`);
  const options = [...parts, 'index=off'].join(',');
  if (Buffer.byteLength(options) <= OPTION_BYTES) return options;
  throw new GantryError(
    'exhausted',
    'TOO_MANY_LAYERS',
    `the image has too many layers for one overlay mount: ${lower.length}`,
  );
}

/** @source Documentation/filesystems/overlayfs.rst: commas and backslashes are escaped, colons too in lowerdir */
function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}

function escapeLower(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
