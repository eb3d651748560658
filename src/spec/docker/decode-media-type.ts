// Owns the Content-Type rule of JSON bodies, with Go's words for malformed headers. Pure.

import { GantryError } from '../../lib/errors.ts';

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const HEAD = new RegExp(`^(${TOKEN})(?:/(${TOKEN}))?$`);
// Each blank can be taken in one way only: a header of blanks and semicolons would else be tried in all ways.
const PARAMETERS = new RegExp(`^(?:\\s*;(?:\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))?)*\\s*$`);

/**
 * Accepts `application/json` with any parameters, and no header at all when there is no body.
 * @throws BAD_CONTENT_TYPE with Docker's text. @source dockerd 28.5.2: POST /containers/create
 */
export function requireJson(contentType: string | undefined, hasBody: boolean): void {
  if (contentType === 'application/json' || (!contentType && !hasBody)) return;
  const header = contentType ?? '';
  const fault = mediaTypeFault(header);
  if (fault !== undefined) throw bad(`malformed Content-Type header (${header}): mime: ${fault}`);
  const type = header.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw bad(`unsupported Content-Type header (${header}): must be 'application/json'`);
}

function mediaTypeFault(header: string): string | undefined {
  const semicolon = header.indexOf(';');
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim();
  if (type === '') return 'no media type';
  if (!HEAD.test(type)) {
    if (/^[^/]*\s/.test(type)) return 'expected slash after first token';
    return /\/$/.test(type) ? 'expected token after slash' : 'unexpected content after media subtype';
  }
  if (semicolon >= 0 && !PARAMETERS.test(header.slice(semicolon))) return 'invalid media parameter';
  return undefined;
}

function bad(message: string): GantryError {
  return new GantryError('invalid', 'BAD_CONTENT_TYPE', message);
}
