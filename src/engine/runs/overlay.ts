// Owns the text of an overlay mount's options. Pure.

import { GantryError } from '../../lib/errors.ts';

/** The kernel takes one page. @source mount(2) */
const OPTION_BYTES = 4095;

export interface OverlayPaths {
  /** Topmost first; relative ones are seen from the working directory. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
}

/** @throws TOO_MANY_LAYERS when the options do not fit */
export function overlayOptions({ lower, upper, work }: OverlayPaths): string {
  const options = `lowerdir=${lower.map(escapeLower).join(':')},upperdir=${escapePath(upper)},workdir=${escapePath(work)},index=off`;
  if (Buffer.byteLength(options) > OPTION_BYTES) {
    throw new GantryError(
      'exhausted',
      'TOO_MANY_LAYERS',
      `the image has too many layers for one overlay mount: ${lower.length}`,
    );
  }
  return options;
}

/** @source Documentation/filesystems/overlayfs.rst: commas and backslashes are escaped, colons too in lowerdir */
function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}

function escapeLower(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
