// Owns the form in which the image calls take a platform.
import { messageOf } from '../../../lib/errors.ts';
import { CommandFailure } from '../../failure.ts';
import { readPlatform } from '../../platform.ts';

/**
 * `os/arch[/variant]` as JSON; an empty text stays.
 * @throws CommandFailure (1) when the text is no platform
 * @source Engine API since 1.48
 */
export function platformJson(text: string): string {
  if (text === '') return '';
  try {
    const { architecture, os, variant } = readPlatform(text);
    return JSON.stringify({ architecture, os, ...(variant === undefined ? {} : { variant }) });
  } catch (error) {
    throw new CommandFailure(1, messageOf(error));
  }
}
