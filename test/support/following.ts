// Owns a program that keeps talking (`logs -f`, `attach`, `events`): what it said so far, and its end. Knows no daemon.

import { spawn } from 'node:child_process';
import { eventually } from './patience.ts';

export interface Following extends AsyncDisposable {
  readonly output: string;
  /** Waits until stdout and stderr together hold `text` or match; @throws Error with what came instead */
  until(wanted: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Its exit code, when it ends by itself. */
  readonly ended: Promise<number>;
}

export function follow(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Following {
  const child = spawn(program, args, {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  ended.catch(() => {});
  return {
    get output() {
      return output;
    },
    ended,
    async until(wanted, timeoutMs = 20_000) {
      const isThere = () => (typeof wanted === 'string' ? output.includes(wanted) : wanted.test(output));
      await eventually(`${wanted} from ${program} ${args.join(' ')}`, isThere, timeoutMs).catch((error: Error) => {
        throw new Error(`${error.message}; it said:\n${output}`);
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}
