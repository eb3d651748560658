// Owns the errors of tar reading, in the words that Docker users see.

import { GantryError } from '../errors.ts';

/** The archive is damaged. @source Go's archive/tar ErrHeader, as dockerd 28.5 shows it */
export function badHeader(hint: string): GantryError {
  return new GantryError('invalid', 'BAD_TAR', 'archive/tar: invalid tar header', { hint });
}

/** An extended header or a long name of more than 1 MiB. @source Go's archive/tar ErrFieldTooLong, as dockerd 28.5 shows it */
export function fieldTooLong(): GantryError {
  return new GantryError('invalid', 'BAD_TAR', 'archive/tar: header field too long');
}

/** The archive uses a feature that we refuse. */
export function unsupported(what: string): GantryError {
  return new GantryError('invalid', 'UNSUPPORTED_TAR', `archive/tar: ${what} is not supported`);
}

/** The archive ends inside an entry. */
export function truncated(): GantryError {
  return new GantryError('invalid', 'TRUNCATED_TAR', 'unexpected EOF');
}
