// Owns the terminal's raw mode: every key goes to the container, and every byte of it to the screen, unchanged.
import { spawnSync } from 'node:child_process';
import type { InputStream } from '../session.ts';

/**
 * Puts the terminal behind `stdin` into raw mode until disposed; nothing happens when it is none.
 * Node keeps the newline translation of output, which would misplace what editors draw: stty switches it off, and
 * leaving raw mode brings the old settings back whole.
 */
export function enterRawMode(stdin: InputStream): Disposable {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return { [Symbol.dispose]: () => {} };
  stdin.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  let active = true;
  return {
    [Symbol.dispose]: () => {
      if (active) stdin.setRawMode?.(false);
      active = false;
    },
  };
}
