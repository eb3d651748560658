// Owns byte strings: file names and link targets that need not be UTF-8, held as strings of one character per byte.

declare const brand: unique symbol;

/** Bytes as a string of char codes 0-255 (latin1). Equal bytes are equal strings; ASCII reads as it is. */
export type ByteString = string & { readonly [brand]: 'ByteString' };

/** `length` bytes of `bytes` from `start`. */
export function byteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1') as ByteString;
}

/** The UTF-8 bytes of ordinary text. */
export function bytesOfText(text: string): ByteString {
  return Buffer.from(text).toString('latin1') as ByteString;
}

/** Ordinary text for people; bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** The bytes themselves. */
export function rawBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The bytes and a closing NUL, as libc wants them. */
export function cstringOf(bytes: ByteString): Buffer {
  const out = Buffer.allocUnsafe(bytes.length + 1);
  out.write(bytes, 'latin1');
  out[bytes.length] = 0;
  return out;
}
