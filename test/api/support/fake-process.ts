// Owns pretend processes for API tests: `echo`, `cat`, `sleep`, `exit N`, `flood N`, with Docker's framing. Runs nothing real.

import { Duplex } from 'node:stream';
import { encodeFrameHeader } from '../../../src/spec/stream/frames.ts';

/** A pretend process whose clients come and go. */
export interface FakeProcess {
  readonly exited: Promise<number>;
  /** What stdin has received so far. */
  stdinText(): string;
  stdinEnded(): boolean;
  kill(signal: number): void;
  attach(options: { readonly logs: boolean; readonly stream: boolean }): Duplex;
  log(): Buffer;
}

export function framed(text: string | Uint8Array, tty: boolean, stream: 'stdout' | 'stderr' = 'stdout'): Buffer {
  const payload = Buffer.from(text);
  return tty ? payload : Buffer.concat([encodeFrameHeader(stream, payload.length), payload]);
}

/** Starts one; `begin` holds its output back until the caller is ready. */
export function startFake(command: readonly string[], tty: boolean, begin: Promise<void>): FakeProcess {
  const clients = new Set<{ push(chunk: Buffer): void; end(): void }>();
  const output: Buffer[] = [];
  let stdin = '';
  let ended = false;
  let settle: (code: number) => void = () => undefined;
  let over = false;
  const exited = new Promise<number>((resolve) => {
    settle = resolve;
  });
  const say = (text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): void => {
    const chunk = framed(text, tty, stream);
    if (chunk.length < 1 << 20) output.push(chunk);
    for (const client of clients) client.push(chunk);
  };
  const exit = (code: number): void => {
    if (over) return;
    over = true;
    settle(code);
    for (const client of clients) client.end();
  };
  const words = command.join(' ').replace(/^(?:\/bin\/)?sh -c /, '');
  void begin.then(() => run(words, say, exit));

  return {
    exited,
    stdinText: () => stdin,
    stdinEnded: () => ended,
    kill: (signal) => exit(128 + signal),
    log: () => Buffer.concat(output),
    attach({ logs, stream }) {
      const duplex = new Duplex({
        allowHalfOpen: true,
        read: () => undefined,
        write(chunk: Buffer, _encoding, done) {
          stdin += chunk.toString();
          if (words.startsWith('cat')) say(chunk);
          done();
        },
        final(done) {
          ended = true;
          done();
          if (words.startsWith('cat')) exit(0);
        },
      });
      const client = { push: (chunk: Buffer) => void duplex.push(chunk), end: () => void duplex.push(null) };
      if (logs) client.push(Buffer.concat(output));
      if (over || !stream) client.end();
      else clients.add(client);
      duplex.once('close', () => clients.delete(client));
      return duplex;
    },
  };
}

function run(
  words: string,
  say: (text: string | Uint8Array, stream?: 'stdout' | 'stderr') => void,
  exit: (code: number) => void,
): void {
  const [program, argument = ''] = [words.split(' ')[0], words.slice(words.indexOf(' ') + 1)];
  if (program === 'echo') {
    say(`${argument}\n`);
    exit(0);
  } else if (program === 'warn') {
    say(`${argument}\n`, 'stderr');
    exit(0);
  } else if (program === 'exit') exit(Number(argument));
  else if (program === 'flood') {
    for (let left = Number(argument); left > 0; left -= 65_536) say(Buffer.alloc(Math.min(left, 65_536), 'x'));
    exit(0);
  }
}
