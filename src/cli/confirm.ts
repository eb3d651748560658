// Owns asking before something is destroyed, and reading lines and passwords from the terminal.
import { createInterface } from 'node:readline';
import type { Session } from './session.ts';

/** Prints `warning` and asks; true only for a yes. @source docker 28.2.2 */
export async function confirm(session: Session, warning: string): Promise<boolean> {
  const answer = await ask(session, `${warning}\nAre you sure you want to continue? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** Asks with a prompt on stdout; an ended input is an empty answer. */
export async function ask(session: Session, prompt: string): Promise<string> {
  session.out(prompt);
  return readLine(session);
}

/** Asks without showing what is typed. */
export async function askSecret(session: Session, prompt: string): Promise<string> {
  const { stdin } = session.stdio;
  session.out(prompt);
  stdin.setRawMode?.(true);
  let typed = '';
  try {
    for await (const chunk of stdin) {
      for (const char of String(chunk)) {
        if (char === '\r' || char === '\n') return typed;
        if (char === '\x03' || char === '\x04') return '';
        typed = char === '\x7f' || char === '\b' ? typed.slice(0, -1) : typed + char;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode?.(false);
    session.out('\n');
  }
}

function readLine(session: Session): Promise<string> {
  const reader = createInterface({ input: session.stdio.stdin, terminal: false });
  return new Promise((resolve) => {
    reader.once('line', (line) => {
      resolve(line);
      reader.close();
      session.stdio.stdin.unref?.();
    });
    reader.once('close', () => resolve(''));
  });
}
