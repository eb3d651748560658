// Owns running the program gantry-registry as a user does, in a process of its own that a test may kill.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/addresses.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/gantry-registry', import.meta.url));

/** One registry's program, over several lives with the same root and port. */
export class RegistryProgram implements AsyncDisposable {
  readonly url: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#args = ['serve', '--addr', `127.0.0.1:${port}`, ...args];
  }

  static async start(...args: readonly string[]): Promise<RegistryProgram> {
    const program = new RegistryProgram(await freePort(), args);
    await program.start();
    return program;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const child = spawn(PROGRAM, this.#args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`gantry-registry ended with ${child.exitCode}`);
      if (
        await fetch(`${this.url}/v2/`)
          .then((answer) => answer.ok)
          .catch(() => false)
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill('SIGTERM');
  }
}
