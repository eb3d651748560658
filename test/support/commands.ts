// Owns running programs to their end with everything they said. Knows no daemon.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Said {
  /** 128+n when a signal ended it, 124 when the time-out did. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Written to stdin, which then ends; without it stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  /** Default 60 s; then SIGKILL and code 124. */
  readonly timeoutMs?: number;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs a program; never rejects for what the program did. @throws Error when it cannot be started */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout?.on('data', (chunk: Buffer) => said.stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => said.stderr.push(chunk));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
      resolve({
        code: late ? 124 : (code ?? 128 + (SIGNALS[signal ?? ''] ?? 0)),
        stdout: text(said.stdout),
        stderr: text(said.stderr),
      });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

/** As `run`, but a code other than 0 is an Error that tells everything; answers stdout. */
export async function must(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const said = await run(program, args, options);
  if (said.code === 0) return said.stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${said.code}\n${said.stdout}${said.stderr}`);
}

/** The path of a program, or undefined when it is not on PATH. */
export function which(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {}
  }
  return undefined;
}
