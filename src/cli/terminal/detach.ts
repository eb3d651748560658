// Owns detach keys: their text form, and finding them in typed bytes. Pure.

/** Ctrl-P, Ctrl-Q. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL_NAMES: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * Bytes of `ctrl-a`, a single character, or several joined by commas; undefined when the text is no key sequence.
 * @source moby/term ToBytes
 */
export function parseDetachKeys(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const key of text.split(',')) {
    const control = /^ctrl-(.)$/.exec(key)?.[1];
    if (control !== undefined) {
      const code = /[a-z]/.test(control) ? control.charCodeAt(0) - 96 : CONTROL_NAMES[control];
      if (code === undefined) return undefined;
      bytes.push(code);
    } else if (key.length === 1) {
      bytes.push(key.charCodeAt(0));
    } else if (key !== '') {
      return undefined;
    }
  }
  return bytes.length === 0 ? undefined : Uint8Array.from(bytes);
}

/** Looks for the keys in typed bytes; a partial match is held back until the next byte decides. */
export interface DetachFilter {
  /** What to send on, and whether the keys were typed. */
  push(chunk: Uint8Array): { readonly bytes: Uint8Array; readonly detached: boolean };
}

/** A filter for `keys`. */
export function createDetachFilter(keys: Uint8Array): DetachFilter {
  let matched = 0;
  return {
    push(chunk) {
      const out: number[] = [];
      for (const byte of chunk) {
        if (byte === keys[matched]) {
          matched++;
          if (matched === keys.length) return { bytes: Uint8Array.from(out), detached: true };
          continue;
        }
        out.push(...keys.subarray(0, matched));
        matched = byte === keys[0] ? 1 : 0;
        if (matched === 0) out.push(byte);
        else if (keys.length === 1) return { bytes: Uint8Array.from(out), detached: true };
      }
      return { bytes: Uint8Array.from(out), detached: false };
    },
  };
}
