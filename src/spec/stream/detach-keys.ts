// Owns the recognition of a detach key sequence in a terminal's input. Pure.

/** ctrl-p, ctrl-q. */
export const DEFAULT_DETACH_KEYS: Uint8Array = Uint8Array.of(16, 17);

/**
 * Makes a matcher over successive chunks. A partial match is held back and released with the byte that breaks it.
 * `found` ends the attachment; `pass` are the bytes that go on to the process.
 */
export function detachMatcher(
  keys: Uint8Array,
): (chunk: Uint8Array) => { readonly pass: Buffer; readonly found: boolean } {
  let matched = 0;
  return (chunk) => {
    if (keys.length === 0) return { pass: Buffer.from(chunk), found: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched++;
        if (matched === keys.length) return { pass: Buffer.from(pass), found: true };
        continue;
      }
      pass.push(...keys.subarray(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) pass.push(byte);
      else if (keys.length === 1) return { pass: Buffer.from(pass), found: true };
    }
    return { pass: Buffer.from(pass), found: false };
  };
}
