// Owns starting the command line in a process: real streams, and a quiet end when the reader of a pipe is gone.

import { main } from './main.ts';
import type { Stdio } from './session.ts';

const SIGPIPE_EXIT = 141;

/** A standard stream, opened at its first use: a command that prints no error needs no second one. */
function lazily(name: 'stdout' | 'stderr'): () => NodeJS.WriteStream {
  let stream: NodeJS.WriteStream | undefined;
  return () => {
    stream ??= process[name].on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? SIGPIPE_EXIT : 1);
    });
    return stream;
  };
}

const [stdout, stderr] = [lazily('stdout'), lazily('stderr')];
const stdio: Stdio = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return stdout();
  },
  get stderr() {
    return stderr();
  },
};

// No await at the top: bundles are CommonJS.
main(process.argv.slice(2), process.env, stdio).then((code) => {
  process.exitCode = code;
});
