// Owns Go texts that are bytes first: quoting, cutting in the middle of a character, and giving the bytes back. Pure.

/** A byte that is no UTF-8 travels as a lone surrogate of this block. */
const STRAY = 0xdc00;

/** The bytes of a text. */
export function bytesOf(text: string): Buffer {
  if (!hasStrayBytes(text)) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((char) => {
      const code = char.codePointAt(0) ?? 0;
      return code >= STRAY + 0x80 && code <= STRAY + 0xff ? Buffer.from([code - STRAY]) : Buffer.from(char);
    }),
  );
}

/** True when `text` holds bytes that are no UTF-8, so that it must be written as `bytesOf` it. */
export const hasStrayBytes = (text: string): boolean => /[\udc80-\udcff]/u.test(text);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes; what is no UTF-8 comes back out as it went in. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodePieces(bytes);
  }
}

function decodePieces(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    try {
      text += decoder.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(STRAY + first);
      at++;
    }
  }
  return text;
}

/** Bytes `from` to `to` of a text. */
export const sliceBytes = (text: string, from: number, to: number): string =>
  textOfBytes(bytesOf(text).subarray(from, to));

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** `text` between `mark`s with Go's escapes; `ascii` escapes all that is not ASCII. @source Go strconv.Quote */
export function quoted(text: string, mark: '"' | "'", ascii: boolean): string {
  let inner = '';
  for (const char of text) inner += quotedChar(char, mark, ascii);
  return mark + inner + mark;
}

function quotedChar(char: string, mark: string, ascii: boolean): string {
  if (char === mark) return `\\${mark}`;
  const short = ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code >= STRAY + 0x80 && code <= STRAY + 0xff) return `\\x${(code - STRAY).toString(16)}`;
  if (isPrintable(char) && (!ascii || code < 0x80)) return char;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Letters, marks, digits, punctuation, symbols and the plain space. @source Go strconv.IsPrint */
export function isPrintable(char: string): boolean {
  return char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);
}

/** True when `text` can stand between backquotes. @source Go strconv.CanBackquote */
export function canBackquote(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
  return !/[\x00-\x08\x0a-\x1f\x7f`\ufeff\udc80-\udcff]/u.test(text);
}

/** The character of a code point; the replacement character for what is none. */
export function charOf(code: number | bigint): string {
  const number = Number(code);
  const valid = number >= 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
  return valid ? String.fromCodePoint(number) : '\ufffd';
}
