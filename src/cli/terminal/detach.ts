// Owns the text form of detach keys. Pure.

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
