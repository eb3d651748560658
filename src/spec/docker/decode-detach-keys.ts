// Owns the text of detach keys (`ctrl-p,ctrl-q`, `a,DEL`): text in, bytes out. Matches no input.

const CONTROL_LETTERS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/**
 * The bytes of a comma-separated list of single characters, `ctrl-<letter>` and `DEL`; undefined when a part is none of them.
 * @source moby/term ToBytes
 */
export function parseDetachKeys(text: string): Uint8Array | undefined {
  const codes: number[] = [];
  for (const key of text.split(',')) {
    const code = codeOf(key);
    if (code === undefined) return undefined;
    codes.push(code);
  }
  return Uint8Array.from(codes);
}

function codeOf(key: string): number | undefined {
  const bytes = Buffer.from(key);
  if (bytes.length === 1) return bytes[0];
  if (key === 'DEL') return 127;
  const control = /^ctrl-(.)$/.exec(key)?.[1];
  const index = control === undefined ? -1 : CONTROL_LETTERS.indexOf(control);
  return index < 0 ? undefined : index;
}
