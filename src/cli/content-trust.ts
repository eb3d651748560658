// Owns refusing content trust: names are never checked against Notary here, so nobody shall believe that they were.
import { CommandFailure } from './failure.ts';
import type { Flags } from './grammar/flags.ts';
import { parseGoBool } from './grammar/go-text.ts';
import type { Session } from './session.ts';

/** @throws CommandFailure (1) when `--disable-content-trust=false` or DOCKER_CONTENT_TRUST asks for verified names */
export function refuseContentTrust(session: Session, flags: Flags): void {
  const asked = flags.changed('disable-content-trust')
    ? !flags.bool('disable-content-trust')
    : isTruthy(session.env.DOCKER_CONTENT_TRUST);
  if (!asked) return;
  throw new CommandFailure(
    1,
    'content trust is not there yet: image names are not verified',
    'unset DOCKER_CONTENT_TRUST and leave out --disable-content-trust=false, or name the image by its digest',
  );
}

/** As Docker reads the variable: what is no boolean counts as false. */
function isTruthy(text: string | undefined): boolean {
  try {
    return text !== undefined && parseGoBool(text);
  } catch {
    return false;
  }
}
