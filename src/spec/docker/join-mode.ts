// Owns namespace modes of the form `container:X`, which join those of another container. Pure.

const PREFIX = 'container:';

/** The name or id of the container whose namespace `mode` joins; '' for `container:` alone, undefined for another mode. */
export function joinedContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith(PREFIX) ? mode.slice(PREFIX.length) : undefined;
}

/** The mode that joins `ref`. */
export function joinMode(ref: string): string {
  return `${PREFIX}${ref}`;
}
